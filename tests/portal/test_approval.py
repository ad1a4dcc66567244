"""The page on which a person allows an app something: what it says, what it sends on, what it refuses to be told."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from smartapp.consent.grants.model import Terms
from smartapp.consent.scopes.grammar import text
from smartapp.exchange.grants.model import TermsRefused
from smartapp.identity.apps.model import AppState
from tests.portal import app_fakes, fakes
from tests.portal.conftest import Portal
from tests.portal.test_hostile import HOSTILE, assert_inert

PAGE = f"/st-elsewhere/oauth/approve/{app_fakes.HANDLE}"
OURS = {"Origin": "http://127.0.0.1:8123", "Sec-Fetch-Site": "same-origin"}
RESTRICTED = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality|R"
ASKED = app_fakes.SCOPE.split()


def send(portal: Portal, decision: str = "approve", path: str = PAGE, **fields: Any) -> TestResponse:
    """Presses a button on the form as it stands, with these fields filled in otherwise."""
    data = {
        "csrf_token": portal.csrf(),
        "decision": decision,
        "scope": ASKED,
        "studies": "all",
        "started_from": "",
        "started_to": "",
        "reports": "",
        "images": "full",
        "future": "yes",
        "purpose": "PATRQT",
        "expires": "",
        **fields,
    }
    return portal.client().post(path, data=data, headers=OURS)


def approved(portal: Portal) -> Terms:
    [(what, terms)] = portal.app_grants.calls
    assert (what, isinstance(terms, Terms)) == ("approve", True)
    found: Terms = terms
    return found


@pytest.mark.promise("B2")
def test_it_says_who_asks_what_for_and_how_long(client: FlaskClient) -> None:
    page = client.get(PAGE).text
    for words in (
        "Heart Watch",
        "Checked by the hospital",
        "Registered here on October 15, 2026",
        "Find and read the reports.",
        "Find and read the examinations",
        "Stay connected while you are not here",
        "It goes on when you are not here",
        "help@app.example.org",
        "4 examinations today",
    ):
        assert words in page, words
    for address in ("about", "privacy", "terms"):
        assert re.search(rf'<a href="https://app.example.org/{address}" rel="noreferrer noopener"', page), address


@pytest.mark.promise("B2")
def test_every_scope_asked_is_a_ticked_box_and_the_fields_are_those_of_the_contract(client: FlaskClient) -> None:
    page = client.get(PAGE).text
    boxes = re.findall(r'<input type="checkbox" name="scope" value="([^"]+)" checked>', page)
    assert sorted(boxes) == sorted(ASKED)
    names = set(re.findall(r'name="([a-z_]+)"', page[page.index('class="terms"') : page.index('class="other"')]))
    assert names == {
        *("csrf_token", "decision", "until", "scope", "studies", "study", "modality", "bodysite", "started_from"),
        *("started_to", "reports", "images", "future", "purpose", "expires"),
    }
    assert set(re.findall(r'name="decision" value="(\w+)"', page)) == {"preview", "approve", "deny"}
    assert 'name="study" value="2.25.1001" data-plain>' in page
    assert 'name="bodysite" value="51185008">' in page


def test_an_app_that_was_not_checked_is_called_so(portal: Portal, client: FlaskClient) -> None:
    portal.apps.apps = (replace(app_fakes.sample_app(policy_uri=""), state=AppState.PENDING, decided_at=None),)
    page = client.get(PAGE).text
    assert "Not checked by the hospital yet" in page
    assert "It does not say how it treats your data." in page


def test_what_cannot_outlive_the_session_is_said(portal: Portal, client: FlaskClient) -> None:
    portal.app_grants.works_offline = False
    assert "It works only while you are signed in here" in client.get(PAGE).text


@pytest.mark.promise("A6")
def test_a_representative_decides_as_themselves(portal: Portal) -> None:
    portal.app_grants.right_ends = fakes.NOW + timedelta(days=30)
    page = portal.client("ses-dana").get(PAGE).text
    assert "You are viewing the record of Eli Novak as their representative." in page
    assert "You decide as their representative." in page
    assert "ends on December 24, 2026, and this access with it" in page


def test_whoever_is_not_signed_in_goes_to_the_hospital_and_comes_back(portal: Portal) -> None:
    answer = portal.client(None).get(PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "http://localhost:9/authorize?state=s")
    assert portal.sign_in.calls == [("start", "st-elsewhere", app_fakes.HANDLE, "lasting")]
    portal.sign_in.after = app_fakes.HANDLE
    assert portal.client(None).get("/callback?code=c&state=s").headers["Location"] == PAGE
    portal.sign_in.after = "sar_over"
    assert portal.client(None).get("/callback?code=c&state=s").headers["Location"] == "/my/ctx-ana/"


def test_for_access_that_lasts_the_browser_goes_through_the_hospital_once_more(portal: Portal) -> None:
    portal.app_grants.needs_lasting = True
    assert portal.client().get(PAGE).status_code == 303
    assert portal.approvals.calls == [("bind", "ses-ana"), ("tried", "ses-ana")]
    assert portal.sign_in.calls == [("start", "st-elsewhere", app_fakes.HANDLE, "lasting")]


@pytest.mark.clause("OpenID Connect Core 1.0", "3.1.2.1")
@pytest.mark.parametrize(
    ("prompt", "later", "again"),
    [("login", 1, True), ("consent login", 1, True), ("login", 0, False), ("consent", 1, False)],
)
def test_an_app_may_have_the_person_sign_in_anew(portal: Portal, prompt: str, later: int, again: bool) -> None:  # noqa: FBT001 -- parametrised
    """Once: a session that began when the app had asked is what came of it. No form gets past it either."""
    asked_at = fakes.NOW + timedelta(seconds=later)
    portal.approvals.asked = replace(portal.approvals.asked, prompt=prompt, asked_at=asked_at)
    assert portal.client().get(PAGE).status_code == (303 if again else 200)
    anew = [("start", "st-elsewhere", app_fakes.HANDLE, "lasting", "anew")]
    assert portal.sign_in.calls == (anew if again else [])
    assert ("bind", "ses-ana") in portal.approvals.calls, "the session that follows takes the request over"
    assert send(portal).status_code == (404 if again else 303)
    assert len(portal.app_grants.calls) == (0 if again else 1)


def test_who_is_not_signed_in_with_us_may_be_at_the_hospital(portal: Portal) -> None:
    portal.approvals.asked = replace(portal.approvals.asked, prompt="login", asked_at=fakes.NOW)
    assert portal.client(None).get(PAGE).status_code == 303
    assert portal.sign_in.calls == [("start", "st-elsewhere", app_fakes.HANDLE, "lasting", "anew")]


@pytest.mark.parametrize("path", ["/st-elsewhere/oauth/approve/sar_other", f"/mercy/oauth/approve/{app_fakes.HANDLE}"])
def test_a_request_that_is_none_is_not_there(portal: Portal, client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404
    assert send(portal, path=path).status_code == 404
    assert portal.app_grants.calls == []


@pytest.mark.threat("O23")
@pytest.mark.threat("W5")
def test_it_cannot_be_framed_and_leads_only_to_the_app_and_the_hospital(client: FlaskClient) -> None:
    headers = client.get(PAGE).headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    leads = "form-action 'self' http://localhost:9 https://app.example.org https://launch.example.org"
    assert headers["Content-Security-Policy"].endswith(leads)


@pytest.mark.threat("O25")
def test_yes_goes_back_to_the_app_by_a_redirect_that_repeats_no_form(portal: Portal) -> None:
    answer = send(portal)
    assert (answer.status_code, answer.headers["Location"]) == (303, "https://app.example.org/cb?code=c")
    terms = approved(portal)
    assert sorted(text(terms.scopes).split()) == sorted(ASKED)
    everything: tuple[Any, ...] = (None, True, "full", True, "PATRQT", None, frozenset())
    said = (terms.chosen, terms.future, terms.images, terms.reports, terms.purpose, terms.expires_at, terms.sensitive)
    assert said == everything


def test_no_goes_back_to_the_app_and_reads_nothing_of_the_form(portal: Portal) -> None:
    answer = send(portal, "deny", studies="", expires="nonsense")
    assert (answer.status_code, answer.headers["Location"]) == (303, "https://app.example.org/cb?error=access_denied")
    assert portal.app_grants.calls == [("refuse",)]


@pytest.mark.promise("B2")
def test_every_line_of_the_form_narrows_the_terms(portal: Portal) -> None:
    ticked = ["patient/ImagingStudy.rs", "openid"]
    narrowed: dict[str, Any] = {
        "scope": ticked,
        "modality": ["CT", "DX"],
        "bodysite": ["51185008"],
        "images": "deidentified",
    }
    answer = send(
        portal,
        **narrowed,
        studies="chosen",
        study=[fakes.CT, fakes.HEAD],
        started_from="2024-01-01",
        started_to="2026-12-31",
        reports="yes",
        purpose="HRESCH",
        expires="2026-12-24",
    )
    assert answer.status_code == 303
    terms = approved(portal)
    assert text(terms.scopes) == "openid patient/ImagingStudy.rs"
    assert (terms.chosen, terms.future) == (frozenset({fakes.CT, fakes.HEAD}), False)
    assert (terms.modalities, terms.body_sites) == (frozenset({"CT", "DX"}), frozenset({"51185008"}))
    assert (terms.started_from, terms.started_to) == (date(2024, 1, 1), date(2026, 12, 31))
    assert (terms.images, terms.reports, terms.purpose) == ("deidentified", True, "HRESCH")
    assert terms.expires_at == datetime(2026, 12, 25, 6, tzinfo=UTC)  # the day ends at midnight in Chicago


@pytest.mark.parametrize(
    ("images", "reports", "expected"),
    [
        *(("full", "", True), ("none", "", True), ("deidentified", "", False)),
        *(("deidentified", "yes", True), ("full", "no", False), ("full", "yes", True)),
    ],
)
@pytest.mark.promise("B2")
def test_deidentified_speaks_of_images_and_reports_are_off_unless_ticked(
    portal: Portal, images: str, reports: str, *, expected: bool
) -> None:
    assert "De-identifying is about pictures only" in portal.client().get(PAGE).text
    send(portal, images=images, reports=reports)
    assert approved(portal).reports is expected


def test_without_later_ones_the_approval_is_told_to_write_down_those_of_today(portal: Portal) -> None:
    send(portal, future="no")
    assert (approved(portal).chosen, approved(portal).future) == (None, False)


@pytest.mark.threat("A31")
def test_a_labelled_study_stands_apart_and_counts_only_when_ticked_itself(portal: Portal, client: FlaskClient) -> None:
    studies = portal.records.studies_found
    portal.records.studies_found = (replace(studies[0], labels=(RESTRICTED,)), *studies[1:])
    page = client.get(PAGE).text
    apart = page[page.index("Specially protected examinations") :]
    assert f'name="study" value="{fakes.HEAD}">' in apart
    assert f'name="study" value="{fakes.HEAD}"' not in page[: page.index("Specially protected examinations")]
    send(portal)
    assert approved(portal).sensitive == frozenset()
    portal.app_grants.calls.clear()
    send(portal, study=[fakes.HEAD])
    assert (approved(portal).chosen, approved(portal).sensitive) == (None, frozenset({fakes.HEAD}))
    portal.app_grants.calls.clear()
    send(portal, future="no")
    assert (approved(portal).chosen, approved(portal).sensitive) == (None, frozenset())


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"scope": []}, "scope", "Nothing is ticked"),
        ({"scope": ["offline_access", "launch/patient"]}, "scope", "Nothing is ticked"),
        ({"studies": "chosen"}, "studies", "No examination is ticked"),
        ({"studies": "chosen", "study": ["1.2.3.4"]}, "studies", "No examination is ticked"),
        ({"studies": "all", "study": [fakes.CT]}, "studies", "Choose one or the other"),
        ({"studies": ""}, "studies", "Choose all examinations, or tick"),
        ({"started_from": "01/02/2024"}, "started_from", "This is no date"),
        ({"started_to": "2024-02-30"}, "started_to", "This is no date"),
        ({"started_from": "20240101"}, "started_from", "This is no date"),
        ({"started_from": "2025-01-02", "started_to": "2025-01-01"}, "started_to", "before the first one"),
        ({"expires": "2026-03-01"}, "expires", "This day has passed"),
        ({"expires": "9999-12-31"}, "expires", "This is no date"),
    ],
)
@pytest.mark.promise("B2")
def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_granted(
    portal: Portal, fields: dict[str, Any], field: str, words: str
) -> None:
    answer = send(portal, **{"images": "deidentified", "purpose": "COC", **fields})
    assert answer.status_code == 400
    assert portal.app_grants.calls == []
    assert re.search(rf'<p class="problem" id="problem-{field}">[^<]*{re.escape(words)}', answer.text)
    assert "Nothing was allowed yet." in answer.text
    assert 'value="deidentified" checked' in answer.text
    assert '<option value="COC" selected>' in answer.text


def test_what_was_typed_stays(portal: Portal) -> None:
    answer = send(portal, "preview", studies="chosen", study=[fakes.CT], modality=["CT"], started_from="2024-01-01")
    assert answer.status_code == 200
    for kept in (
        'name="studies" value="chosen" checked',
        f'value="{fakes.CT}" checked',
        'name="modality" value="CT" checked',
        'value="2024-01-01"',
    ):
        assert kept in answer.text
    assert "<strong>1 examination today" in " ".join(answer.text.split())
    assert "Examinations that come later stay out." in answer.text
    assert portal.app_grants.calls == []


def test_one_press_sets_an_end(portal: Portal) -> None:
    data = {"csrf_token": portal.csrf(), "until": "30", "studies": "all", "scope": ASKED, "images": "full"}
    answer = portal.client().post(PAGE, data=data, headers=OURS)
    assert answer.status_code == 200
    assert 'name="expires" type="date" value="2026-04-01"' in answer.text


def test_the_part_that_the_script_asks_for_is_the_same_list(portal: Portal) -> None:
    answer = send(portal, path=f"{PAGE}/preview", studies="chosen", study=[fakes.CT])
    assert "1 examination today" in answer.text
    assert "CT scan: chest" in answer.text
    assert "<html" not in answer.text
    assert "First put right what is marked" in send(portal, path=f"{PAGE}/preview", studies="chosen").text


@pytest.mark.threat("O22")
@pytest.mark.parametrize("scope", ["patient/*.cruds", "system/*.rs", "patient/ImagingStudy.cruds", "user/Patient.r"])
def test_a_scope_that_was_not_asked_is_tampering_and_is_written_down(portal: Portal, scope: str) -> None:
    answer = send(portal, scope=[*ASKED, scope])
    assert answer.status_code == 400
    assert portal.app_grants.calls == []
    assert ("tampered", "ses-ana") in portal.approvals.calls


@pytest.mark.parametrize(
    "fields",
    [
        *({"images": "everything"}, {"reports": "maybe"}, {"studies": "some"}, {"future": "x"}, {"purpose": "PUBHLTH"}),
        *({"modality": ["CT\n"]}, {"bodysite": [65 * "x"]}, {"decision": "grant"}, {"until": "31"}),
    ],
)
def test_a_value_that_no_field_has_grants_nothing(portal: Portal, fields: dict[str, Any]) -> None:
    assert send(portal, **fields).status_code == 400
    assert portal.app_grants.calls == []


def test_a_field_that_was_not_sent_allows_nothing(portal: Portal) -> None:
    data = {"csrf_token": portal.csrf(), "decision": "approve", "scope": ASKED, "studies": "all"}
    assert portal.client().post(PAGE, data=data, headers=OURS).status_code == 303
    terms = approved(portal)
    assert (terms.images, terms.reports, terms.future) == ("none", False, False)


@pytest.mark.parametrize(
    ("code", "field"),
    [
        *(("grant.nothing", "scope"), ("grant.studies", "studies"), ("grant.nothing-now", "studies")),
        *(("grant.expires", "expires"), ("grant.purpose", "scope")),
    ],
)
def test_what_only_the_use_case_knows_is_said_on_the_page_too(portal: Portal, code: str, field: str) -> None:
    portal.app_grants.refusal = TermsRefused(code)
    answer = send(portal)
    assert answer.status_code == 400
    assert f'id="problem-{field}"' in answer.text


def test_asked_again_the_page_says_and_begins_with_what_was_allowed_before(portal: Portal, client: FlaskClient) -> None:
    portal.app_grants.already = app_fakes.sample_grant(
        modalities=frozenset({"CT"}),
        images="deidentified",
        reports=False,
        started_from=date(2024, 1, 1),
        expires_at=fakes.NOW + timedelta(days=10),
    )
    page = client.get(PAGE).text
    for words in ("Allowed before", "Only these kinds: CT scan.", "Only taken on January 1, 2024 or later."):
        assert words in page
    for kept in ('name="modality" value="CT" checked', 'value="deidentified" checked', 'value="2024-01-01"'):
        assert kept in page
    assert 'name="expires" type="date" value="2026-12-04"' in page


def test_not_you_signs_out_and_keeps_the_request(portal: Portal) -> None:
    answer = portal.client().post(f"{PAGE}/leave", data={"csrf_token": portal.csrf()}, headers=OURS)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{PAGE}/left")
    assert answer.headers["Set-Cookie"].startswith("smartapp-session-8123=;")
    assert ("let_go", "ses-ana") in portal.approvals.calls
    assert portal.sign_in.calls == [("sign_out", "ses-ana")]
    assert f'href="{PAGE}"' in portal.client(None).get(f"{PAGE}/left").text


@pytest.mark.threat("W3")
@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_of_an_app_stay_words(portal: Portal, client: FlaskClient, words: str) -> None:
    said = {"client_name": words, "client_uri": words, "policy_uri": words, "tos_uri": words, "contacts": (words,)}
    portal.apps.apps = (app_fakes.sample_app(**said),)
    for path in (PAGE, "/my/ctx-ana/apps/", f"/my/ctx-ana/apps/{app_fakes.GRANT}/"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert_inert(answer.text)


def test_it_speaks_spanish(client: FlaskClient) -> None:
    page = client.get(PAGE, headers={"Accept-Language": "es-MX"}).text
    for words in ("¿Puede «Heart Watch» ver estos exámenes?", "Buscar y leer los informes.", "Permitir", "Rechazar"):
        assert words in page
