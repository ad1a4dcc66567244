"""SMART launches against the running process, as an app and a browser see them."""

import re

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.sandbox.ehr.app import TIMEOUT, App, Browser
from tests.sandbox.ehr.process import LAUNCH, REDIRECT

ALL = "openid fhirUser launch/patient offline_access patient/*.rs"


@pytest.mark.clause("SMART App Launch 2.2", "3.0.2")
def test_portal_button_lands_in_a_trusted_app_without_a_second_password_or_page(ehr: str) -> None:
    app = App(ehr, client_id="imaging", asymmetric=True)
    browser = app.portal_launch("ana", "ana-sandbox", "My imaging")
    assert browser.landed["iss"] == app.iss
    launch = browser.landed["launch"]
    app.authorize(browser, "launch openid fhirUser patient/*.rs", launch=launch)
    assert browser.landed["state"] == "a state"
    assert browser.landed["iss"] == app.issuer
    tokens = app.redeem(browser.landed["code"]).json()
    assert tokens["patient"] == "ana"
    assert tokens["need_patient_banner"] is False
    assert tokens["scope"] == "launch openid fhirUser patient/*.rs"
    assert "refresh_token" not in tokens
    assert app.fhir("Patient/ana", tokens["access_token"]).json()["name"][0]["family"] == "Rivera"


def test_a_launch_is_good_once_and_for_its_own_app_only(ehr: str) -> None:
    app = App(ehr, client_id="imaging", asymmetric=True)
    browser = app.portal_launch("ana", "ana-sandbox", "My imaging")
    launch = browser.landed["launch"]
    app.authorize(browser, "launch patient/*.rs", launch=launch)
    assert "code" in browser.landed
    app.authorize(browser, "launch patient/*.rs", launch=launch)
    assert browser.landed["error"] == "invalid_request"
    foreign = app.portal_launch("ana", "ana-sandbox", "My imaging").landed["launch"]
    App(ehr).authorize(browser, "launch patient/*.rs", launch=foreign)
    assert browser.landed["error"] == "invalid_request"


def test_a_launch_of_one_person_is_nothing_to_another(ehr: str) -> None:
    app = App(ehr, client_id="imaging", asymmetric=True)
    launch = app.portal_launch("ana", "ana-sandbox", "My imaging").landed["launch"]
    thief = app.authorize(Browser(ehr), "launch patient/*.rs", launch=launch)
    thief.submit(username="ben", password="ben-sandbox")
    assert thief.landed["error"] == "access_denied"


def test_launch_of_one_study_tells_it_as_context(ehr: str) -> None:
    app = App(ehr, client_id="imaging", asymmetric=True)
    browser = app.portal_launch("ana", "ana-sandbox", "CT chest without contrast")
    app.authorize(browser, "launch patient/*.rs", launch=browser.landed["launch"])
    tokens = app.redeem(browser.landed["code"]).json()
    assert tokens["fhirContext"] == [{"reference": "ImagingStudy/img-ana-ct-chest"}]


@pytest.mark.clause("OpenID Connect Core", "2")
def test_standalone_launch_asks_for_password_and_approval_and_gives_an_id_token(ehr: str) -> None:
    app = App(ehr)
    tokens = app.sign_in("ana", "ana-sandbox", ALL)
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 3600
    assert tokens["patient"] == "ana"
    assert tokens["need_patient_banner"] is True
    discovered = requests.get(f"{app.iss}/.well-known/smart-configuration", timeout=TIMEOUT).json()
    keys = KeySet.import_key_set(requests.get(discovered["jwks_uri"], timeout=TIMEOUT).json())
    claims = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims
    assert claims["iss"] == discovered["issuer"] == app.issuer
    assert claims["aud"] == "other"
    assert claims["nonce"] == "a nonce"
    assert claims["fhirUser"] == f"{app.iss}/Patient/ana"
    assert claims["auth_time"] <= claims["iat"] < claims["exp"]
    assert claims["sub"] not in {"ana", ""}


def test_wrong_password_is_told_and_may_be_tried_again(ehr: str) -> None:
    app = App(ehr)
    browser = app.authorize(Browser(ehr), ALL).submit(username="ana", password="wrong")
    assert 'role="alert"' in browser.page
    browser.submit(username="ana", password="ana-sandbox").submit(decision="approve")
    assert "code" in browser.landed


def test_who_has_several_records_chooses_one(ehr: str) -> None:
    app = App(ehr)
    browser = app.authorize(Browser(ehr), "launch/patient user/Patient.rs patient/*.rs")
    browser.submit(username="dr-lee", password="lee-sandbox")
    assert browser.page.count('name="patient"') == 4
    browser.submit(patient="ben").submit(decision="approve")
    assert app.redeem(browser.landed["code"]).json()["patient"] == "ben"


def test_a_representative_acts_as_herself_for_the_child(ehr: str) -> None:
    app = App(ehr)
    tokens = app.sign_in("dana", "dana-sandbox", ALL)
    assert tokens["patient"] == "eli"
    relative = app.fhir("RelatedPerson/dana-for-eli", tokens["access_token"]).json()
    assert relative["patient"]["reference"] == "Patient/eli"


def test_clinician_launches_from_the_worklist_with_user_scopes(ehr: str) -> None:
    app = App(ehr, client_id="imaging", asymmetric=True)
    browser = app.portal_launch("dr-lee", "lee-sandbox", "My imaging", "worklist")
    app.authorize(browser, "launch openid fhirUser user/*.rs", launch=browser.landed["launch"])
    tokens = app.redeem(browser.landed["code"]).json()
    assert tokens["patient"] == "ana"
    assert app.fhir("Patient/ben", tokens["access_token"]).status_code == 200
    assert app.fhir("Practitioner/lee", tokens["access_token"]).status_code == 200


def test_the_worklist_is_for_clinicians(ehr: str) -> None:
    browser = Browser(ehr).get(f"{ehr}/st-elsewhere/portal").submit(username="ana", password="ana-sandbox")
    assert browser.get(f"{ehr}/st-elsewhere/worklist").status == 403


@pytest.mark.clause("RFC 6749", "4.1.2.1")
def test_deny_button_sends_the_app_home_with_nothing(ehr: str) -> None:
    browser = App(ehr).authorize(Browser(ehr), ALL).submit(username="ana", password="ana-sandbox")
    browser.submit(decision="deny")
    assert browser.left_for is not None
    assert browser.left_for.startswith(REDIRECT)
    assert browser.landed["error"] == "access_denied"
    assert browser.landed["state"] == "a state"
    assert browser.landed["iss"] == f"{ehr}/st-elsewhere"
    assert "code" not in browser.landed


@pytest.mark.clause("RFC 6749", "10.12")
def test_forms_need_their_anti_forgery_value_and_their_own_browser(ehr: str) -> None:
    app = App(ehr)
    browser = app.authorize(Browser(ehr), ALL).submit(username="ana", password="ana-sandbox")
    page = browser.page
    assert browser.submit(csrf="", decision="approve").status == 403
    stranger = Browser(ehr).get(f"{ehr}/st-elsewhere/portal")
    stranger.page = page
    assert stranger.submit(decision="approve").status in {400, 403}
    assert stranger.left_for is None


def test_a_request_is_answered_by_the_browser_that_was_asked(ehr: str) -> None:
    asked = App(ehr).authorize(Browser(ehr), ALL).submit(username="ana", password="ana-sandbox")
    (address,) = re.findall(r'action="([^"]+/oauth/decision/[^"]+)"', asked.page)
    stranger = Browser(ehr).get(f"{ehr}/st-elsewhere/portal").submit(username="ben", password="ben-sandbox")
    (own,) = set(re.findall(r'name="csrf" value="([^"]+)"', stranger.page))
    stranger.post(address, {"csrf": own, "decision": "approve"})
    assert (stranger.status, stranger.left_for) == (400, None)
    assert stranger.get(address.replace("/decision/", "/continue/")).status == 400
    assert "code" in asked.submit(decision="approve").landed


def test_sign_in_changes_the_session_and_ends_the_one_before(ehr: str) -> None:
    browser = Browser(ehr).get(f"{ehr}/st-elsewhere/portal")
    page, planted = browser.page, browser.http.cookies.get_dict()
    browser.submit(username="ana", password="ana-sandbox")
    as_ana = browser.http.cookies.get_dict()
    assert as_ana != planted
    (csrf,) = set(re.findall(r'name="csrf" value="([^"]+)"', browser.page))
    assert csrf not in page
    sign_in = {"csrf": csrf, "username": "ben", "password": "ben-sandbox"}
    assert "Ben Okafor" in browser.post(f"{ehr}/st-elsewhere/portal/signin", sign_in).page
    stale = requests.get(f"{ehr}/st-elsewhere/portal", cookies=as_ana, timeout=TIMEOUT)
    assert 'name="password"' in stale.text


@pytest.mark.parametrize(
    "changed",
    [
        {"patient": "ben"},
        {"patient": "nobody"},
        {"imaging_study": "img-ben-knee"},
        {"client_id": "narrow"},
        {"client_id": "nobody"},
    ],
)
def test_a_changed_launch_form_launches_nothing(ehr: str, changed: dict[str, str]) -> None:
    browser = Browser(ehr).get(f"{ehr}/st-elsewhere/portal").submit(username="ana", password="ana-sandbox")
    (csrf,) = set(re.findall(r'name="csrf" value="([^"]+)"', browser.page))
    form = {"csrf": csrf, "patient": "ana", "client_id": "imaging", **changed}
    browser.post(f"{ehr}/st-elsewhere/launch", form)
    assert (browser.status in {400, 403}, browser.left_for) == (True, None)


def test_nobody_chooses_a_record_that_is_not_theirs(ehr: str) -> None:
    browser = App(ehr).authorize(Browser(ehr), ALL).submit(username="ana", password="ana-sandbox")
    (address,) = re.findall(r'action="([^"]+/oauth/decision/[^"]+)"', browser.page)
    (csrf,) = re.findall(r'name="csrf" value="([^"]+)"', browser.page)
    browser.post(address.replace("/decision/", "/patient/"), {"csrf": csrf, "patient": "ben"})
    assert browser.status == 403


@pytest.mark.clause("SMART App Launch 2.2", "3.0.4")
def test_authorize_by_post_finds_the_signed_in_browser(ehr: str) -> None:
    app = App(ehr, client_id="imaging", asymmetric=True)
    browser = app.portal_launch("ana", "ana-sandbox", "My imaging")
    wanted = app.request("launch patient/*.rs", launch=browser.landed["launch"])
    browser.post(f"{app.issuer}/oauth/authorize", wanted)
    assert "code" in browser.landed


def test_a_hospital_knows_only_its_own_people(ehr: str) -> None:
    app = App(ehr, hospital="mercy")
    browser = app.authorize(Browser(ehr), ALL).submit(username="ana", password="ana-sandbox")
    assert 'role="alert"' in browser.page
    assert app.sign_in("ana", "ana-mercy", ALL)["patient"] == "m-ana"


def test_portal_button_of_another_app_is_named_as_configured(ehr: str) -> None:
    browser = App(ehr).portal_launch("ben", "ben-sandbox", "Open other")
    assert browser.left_for is not None
    assert browser.left_for.startswith(f"{LAUNCH}?iss=")


@pytest.mark.clause("OpenID Connect Core 1.0", "3.1.2.1")
def test_who_is_to_sign_in_anew_is_asked_and_may_be_somebody_else(ehr: str) -> None:
    """The record is that of who signs in then, not of who was signed in before."""
    app = App(ehr)
    browser = app.authorize(Browser(ehr), ALL)
    browser.submit(username="ana", password="ana-sandbox")
    app.authorize(browser, ALL)
    assert 'name="password"' not in browser.page
    app.authorize(browser, ALL, prompt="login")
    assert 'name="password"' in browser.page
    browser.submit(username="ben", password="ben-sandbox").submit(decision="approve")
    assert app.redeem(browser.landed["code"]).json()["patient"] == "ben"
