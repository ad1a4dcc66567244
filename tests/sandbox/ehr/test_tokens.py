"""The token, introspection and revocation endpoints of the running process."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.sandbox.ehr.app import TIMEOUT, App, Browser
from tests.sandbox.ehr.keys import EC, RSA, assertion, forged
from tests.sandbox.ehr.process import REDIRECT

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
OFFLINE = "offline_access launch/patient patient/*.rs"


def a_code(app: App, scope: str = OFFLINE) -> str:
    browser = app.authorize(Browser(app.base), scope).submit(username="ana", password="ana-sandbox")
    browser.submit(decision="approve")
    return browser.landed["code"]


def works(app: App, token: str) -> bool:
    return app.fhir("Patient/ana", token).status_code == 200


@pytest.mark.clause("RFC 6749", "10.5")
def test_code_presented_again_kills_what_it_gave(ehr: str) -> None:
    app = App(ehr)
    code = a_code(app)
    tokens = app.redeem(code).json()
    assert works(app, tokens["access_token"])
    again = app.redeem(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert not works(app, tokens["access_token"])
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_code_redeemed_by_many_at_once_gives_at_most_one_and_that_one_dies(ehr: str) -> None:
    app = App(ehr)
    code = a_code(app)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: app.redeem(code), range(12)))
    good = [answer for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} <= {200, 400}
    assert len(good) <= 1
    assert not any(works(app, answer.json()["access_token"]) for answer in good)


@pytest.mark.clause("RFC 7636", "4.6")
@pytest.mark.parametrize("verifier", ["x" * 43, "", "x" * 42, "x" * 129, "x" * 43 + "\n", "é" * 43])
def test_wrong_verifier_burns_the_code(ehr: str, verifier: str) -> None:
    app = App(ehr)
    code = a_code(app)
    assert app.redeem(code, code_verifier=verifier).json()["error"] == "invalid_grant"
    assert app.redeem(code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("changed", [{"redirect_uri": REDIRECT + "/"}, {"redirect_uri": None}])
def test_code_is_bound_to_its_redirect_uri(ehr: str, changed: dict[str, Any]) -> None:
    app = App(ehr)
    assert app.redeem(a_code(app), **changed).json()["error"] == "invalid_grant"


def test_code_is_bound_to_its_client(ehr: str) -> None:
    app = App(ehr)
    code = a_code(app)
    thief = App(ehr, client_id="narrow", verifier=app.verifier)
    assert thief.redeem(code).json()["error"] == "invalid_grant"


@pytest.mark.clause("RFC 9700", "4.14.2")
def test_refresh_rotates_and_reuse_kills_the_family(ehr: str) -> None:
    app = App(ehr)
    first = app.redeem(a_code(app)).json()
    second = app.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["patient"] == "ana"
    assert works(app, second["access_token"])
    assert app.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert not works(app, first["access_token"])
    assert not works(app, second["access_token"])


def test_refresh_by_many_at_once_gives_at_most_one_and_that_one_dies(ehr: str) -> None:
    app = App(ehr)
    first = app.redeem(a_code(app)).json()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: app.refresh(first["refresh_token"]), range(12)))
    good = [answer for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} <= {200, 400}
    assert len(good) <= 1
    assert not any(works(app, answer.json()["access_token"]) for answer in good)


@pytest.mark.clause("RFC 6749", "6")
def test_refresh_narrows_and_never_widens(ehr: str) -> None:
    app = App(ehr)
    tokens = app.redeem(a_code(app, "offline_access launch/patient patient/ImagingStudy.rs?modality=CT")).json()
    for wider in ("patient/ImagingStudy.rs", "patient/*.rs", "patient/ImagingStudy.cruds?modality=CT", "openid"):
        assert app.refresh(tokens["refresh_token"], scope=wider).json()["error"] == "invalid_scope"
    narrower = app.refresh(tokens["refresh_token"], scope="patient/ImagingStudy.s?modality=CT").json()
    assert narrower["scope"] == "patient/ImagingStudy.s?modality=CT"
    assert app.fhir("ImagingStudy/img-ana-ct-chest", narrower["access_token"]).status_code == 403
    assert app.refresh(narrower["refresh_token"]).json()["scope"].endswith("patient/ImagingStudy.rs?modality=CT")


def test_refresh_token_of_another_client_is_none(ehr: str) -> None:
    app = App(ehr)
    tokens = app.redeem(a_code(app)).json()
    assert App(ehr, client_id="narrow").refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_sign_out_ends_online_access_and_not_offline_access(ehr: str) -> None:
    app = App(ehr)
    browser = Browser(ehr).get(f"{app.issuer}/portal").submit(username="ana", password="ana-sandbox")
    tokens = {}
    for kind in ("online_access", "offline_access"):
        app.authorize(browser, f"{kind} launch/patient patient/*.rs").submit(decision="approve")
        tokens[kind] = app.redeem(browser.landed["code"]).json()
    browser.get(f"{app.issuer}/portal").press("Sign out")
    assert app.refresh(tokens["online_access"]["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.refresh(tokens["offline_access"]["refresh_token"]).status_code == 200


@pytest.mark.parametrize("way", ["basic", "post", "RS384", "ES384", "none"])
def test_each_kind_of_client_authenticates_in_its_way(ehr: str, way: str) -> None:
    names = {"basic": "secretive", "post": "secretive", "none": "other"}
    app = App(ehr, client_id=names.get(way, "imaging"))
    browser = app.authorize(Browser(ehr), "launch/patient patient/*.rs")
    browser.submit(username="ana", password="ana-sandbox")
    if browser.left_for is None:
        browser.submit(decision="approve")
    proof: dict[str, Any] = {}
    if way == "basic":
        app.secret = "a secret: with % and +"
    elif way == "post":
        proof = {"client_secret": "a secret: with % and +"}
    elif way != "none":
        key = RSA if way == "RS384" else EC
        proof = {
            "client_assertion": assertion("imaging", app.token_url, key),
            "client_assertion_type": ASSERTION_TYPE,
        }
    answer = app.redeem(browser.landed["code"], **proof)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"


@pytest.mark.parametrize(
    ("client_id", "proof"),
    [
        ("secretive", {}),
        ("secretive", {"client_secret": "wrong"}),
        ("imaging", {}),
        ("imaging", {"client_secret": "a secret: with % and +"}),
        ("nobody", {}),
        ("other", {"client_secret": ""}),
    ],
)
def test_a_client_that_does_not_prove_itself_gets_nothing(ehr: str, client_id: str, proof: dict[str, str]) -> None:
    app = App(ehr, client_id=client_id)
    answer = app.token(grant_type="refresh_token", refresh_token="x", **proof)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def backend(app: App, scope: str = "system/ImagingStudy.rs", **claims: Any) -> requests.Response:
    audience = claims.pop("aud", app.token_url)
    key = claims.pop("key", EC)
    proof = claims.pop("proof", None) or assertion("nightly", audience, key, **claims)
    form = {
        "grant_type": "client_credentials",
        "scope": scope,
        "client_assertion": proof,
        "client_assertion_type": ASSERTION_TYPE,
    }
    return requests.post(app.token_url, data=form, timeout=TIMEOUT)


@pytest.mark.clause("SMART App Launch 2.2", "4.1")
def test_backend_client_gets_a_short_token_for_every_patient(ehr: str) -> None:
    app = App(ehr)
    tokens = backend(app, "system/ImagingStudy.rs system/Patient.cruds patient/*.rs").json()
    assert tokens["expires_in"] == 300
    assert tokens["scope"] == "system/ImagingStudy.rs system/Patient.rs"
    assert "refresh_token" not in tokens
    bundle = app.fhir("ImagingStudy?_count=100", tokens["access_token"]).json()
    assert {entry["resource"]["subject"]["reference"] for entry in bundle["entry"]} >= {"Patient/ana", "Patient/ben"}
    assert app.fhir("DiagnosticReport", tokens["access_token"]).status_code == 403


@pytest.mark.clause("RFC 7523", "3")
@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "http://127.0.0.1:9/token"},
        {"aud": ["{token}"]},
        {"exp": 1},
        {"exp": 4_000_000_000},
        {"exp": None},
        {"jti": ""},
        {"iss": "other"},
        {"nbf": 4_000_000_000},
        {"proof": "not.a.jwt"},
        {"proof": "x"},
    ],
)
def test_faulty_assertion_is_invalid_client(ehr: str, claims: dict[str, Any]) -> None:
    app = App(ehr)
    if claims.get("aud") == ["{token}"]:
        claims = {"aud": [app.token_url]}
    answer = backend(app, **claims)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.clause("RFC 8725", "3.1")
@pytest.mark.parametrize("how", ["none", "nOnE", "HS256", "twice", "unknown kid"])
def test_forged_assertion_is_invalid_client(ehr: str, how: str) -> None:
    app = App(ehr)
    answer = backend(app, proof=forged("nightly", app.token_url, how))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.clause("RFC 7523", "3")
def test_assertion_is_good_once(ehr: str) -> None:
    app = App(ehr)
    proof = assertion("nightly", app.issuer)
    assert backend(app, proof=proof).status_code == 200
    assert backend(app, proof=proof).json()["error"] == "invalid_client"


def test_backend_scopes_must_be_registered(ehr: str) -> None:
    assert backend(App(ehr), "system/Consent.cruds").json()["error"] == "invalid_scope"


@pytest.mark.clause("RFC 7662", "2.2")
def test_introspection_tells_the_pacs_all_and_another_client_nothing(ehr: str) -> None:
    app = App(ehr)
    tokens = app.redeem(a_code(app, "openid fhirUser launch/patient patient/ImagingStudy.rs")).json()
    url = f"{app.issuer}/oauth/introspect"
    told = requests.post(url, data={"token": tokens["access_token"]}, auth=("pacs", "pacs"), timeout=TIMEOUT).json()
    assert told["active"] is True
    assert told["patient"] == "ana"
    assert told["persons"] == ["ana"]
    assert told["client_id"] == "other"
    assert told["scope"] == tokens["scope"]
    assert told["fhirUser"] == f"{app.iss}/Patient/ana"
    assert told["iss"] == app.issuer
    assert told["exp"] - told["iat"] == 3600
    secret = ("secretive", "a%20secret%3A%20with%20%25%20and%20%2B")
    form = {"token": tokens["access_token"]}
    assert requests.post(url, data=form, auth=secret, timeout=TIMEOUT).json() == {"active": False}
    assert requests.post(url, data={**form, "client_id": "other"}, timeout=TIMEOUT).status_code == 401
    assert requests.post(url, data={"token": "x"}, auth=("pacs", "pacs"), timeout=TIMEOUT).json() == {"active": False}


@pytest.mark.clause("RFC 7009", "2.1")
def test_revoked_refresh_token_takes_its_access_tokens_along(ehr: str) -> None:
    app = App(ehr)
    tokens = app.redeem(a_code(app)).json()
    url = f"{app.issuer}/oauth/revoke"
    stranger = {"client_id": "narrow", "token": tokens["refresh_token"]}
    assert requests.post(url, data=stranger, timeout=TIMEOUT).status_code == 200
    assert works(app, tokens["access_token"])
    own = {"client_id": "other", "token": tokens["refresh_token"]}
    assert requests.post(url, data=own, timeout=TIMEOUT).status_code == 200
    assert not works(app, tokens["access_token"])
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_parameter_given_twice_is_refused(ehr: str) -> None:
    app = App(ehr)
    answer = app.token(grant_type=["refresh_token", "authorization_code"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    browser = Browser(ehr).get(f"{app.issuer}/oauth/authorize?state=1", **app.request(OFFLINE))
    assert browser.status == 400
    assert browser.left_for is None


@pytest.mark.parametrize("redirect", [REDIRECT + "/", REDIRECT + "?x=1", REDIRECT.upper(), "", None, " " + REDIRECT])
def test_nothing_is_sent_to_an_address_that_is_not_registered(ehr: str, redirect: str | None) -> None:
    browser = App(ehr).authorize(Browser(ehr), OFFLINE, redirect_uri=redirect)
    assert (browser.status, browser.left_for) == (400, None)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"aud": None}, "invalid_request"),
        ({"aud": "http://127.0.0.1:9/fhir"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"scope": "patient/*.sr"}, "invalid_scope"),
        ({"scope": "system/*.rs"}, "invalid_scope"),
        ({"scope": "launch patient/*.rs"}, "invalid_request"),
        ({"launch": "guessed"}, "invalid_request"),
    ],
)
def test_faulty_request_goes_back_to_the_app_with_its_error(ehr: str, changed: dict[str, Any], error: str) -> None:
    browser = App(ehr).authorize(Browser(ehr), **{"scope": OFFLINE, **changed})
    assert browser.landed["error"] == error
    assert browser.landed["state"] == "a state"
    assert browser.landed["iss"] == f"{ehr}/st-elsewhere"
