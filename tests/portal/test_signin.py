"""Choosing the hospital, launching, coming back, leaving."""

import pytest
from flask.testing import FlaskClient

from tests.portal.conftest import Portal

FORM = {"Origin": "http://127.0.0.1:8123", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def stranger(portal: Portal) -> FlaskClient:
    return portal.client(None)


def test_the_start_page_offers_every_hospital(stranger: FlaskClient) -> None:
    page = stranger.get("/")
    assert page.status_code == 200
    assert "St. Elsewhere Health" in page.text
    assert 'value="st-elsewhere"' in page.text


def test_the_forms_answer_may_lead_to_the_hospital_and_nowhere_else(stranger: FlaskClient) -> None:
    policy = stranger.get("/").headers["Content-Security-Policy"]
    assert policy.endswith("form-action 'self' http://localhost:9")


@pytest.mark.clause("SMART 2.2", "50")
@pytest.mark.promise("A1")
def test_choosing_a_hospital_leads_to_its_sign_in(portal: Portal, stranger: FlaskClient) -> None:
    answer = stranger.post("/start", data={"provider": "st-elsewhere"}, headers=FORM)
    assert (answer.status_code, answer.headers["Location"]) == (303, "http://localhost:9/authorize?state=s")
    assert "smartapp-flow-8123=flow-1" in answer.headers["Set-Cookie"]
    assert portal.sign_in.calls == [("start", "st-elsewhere")]


@pytest.mark.parametrize("provider", ["", "nowhere", "st-elsewhere\n", "../x"])
def test_an_unknown_hospital_starts_nothing(portal: Portal, stranger: FlaskClient, provider: str) -> None:
    assert stranger.post("/start", data={"provider": provider}, headers=FORM).status_code == 400
    assert portal.sign_in.calls == []


@pytest.mark.clause("SMART 2.2", "161")
@pytest.mark.promise("A1")
def test_a_launch_from_the_ehr_is_handed_on(portal: Portal, stranger: FlaskClient) -> None:
    answer = stranger.get("/launch", query_string={"iss": "http://localhost:9/fhir", "launch": "abc"})
    assert answer.status_code == 303
    assert portal.sign_in.calls == [("launch", "http://localhost:9/fhir", "abc")]


@pytest.mark.threat("S1")
@pytest.mark.parametrize(
    "query",
    [
        *("", "iss=a", "launch=b", "iss=&launch=b", "iss=a&iss=b&launch=c", "iss=a&launch=b&launch=c"),
        f"iss=a&launch={3000 * 'x'}",
    ],
)  # fmt: skip
def test_a_launch_that_cannot_be_meant_starts_nothing(portal: Portal, stranger: FlaskClient, query: str) -> None:
    assert stranger.get(f"/launch?{query}").status_code == 400
    assert portal.sign_in.calls == []


def test_the_callback_opens_the_list_under_a_new_cookie(portal: Portal) -> None:
    browser = portal.client("ses-old")
    browser.set_cookie("smartapp-flow-8123", "flow-1", domain="127.0.0.1")
    answer = browser.get("/callback?code=c1&state=s")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/my/ctx-ana/")
    assert portal.sign_in.calls == [("finish", "c1", "flow-1", "ses-old")]
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("smartapp-session-8123=ses-ana;")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_signing_out_ends_the_session_and_the_cookie(portal: Portal, client: FlaskClient) -> None:
    answer = client.post("/sign-out", data={"csrf_token": portal.csrf()}, headers=FORM)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/signed-out")
    assert answer.headers["Set-Cookie"].startswith("smartapp-session-8123=;")
    assert portal.sign_in.calls == [("sign_out", "ses-ana")]
    assert client.get("/signed-out").status_code == 200
    portal.client().get("/my/ctx-ana/")
    assert portal.client().get("/my/ctx-ana/").status_code == 401


def test_signing_out_everywhere(portal: Portal, client: FlaskClient) -> None:
    client.post("/sign-out-everywhere", data={"csrf_token": portal.csrf()}, headers=FORM)
    assert portal.sign_in.calls == [("sign_out_everywhere", "ses-ana")]


def test_liveness_asks_nobody(stranger: FlaskClient) -> None:
    assert stranger.get("/healthz").json == {"status": "ok"}


@pytest.mark.clause("RFC 7517", "5")
def test_public_keys_are_a_set_even_when_there_are_none(stranger: FlaskClient) -> None:
    assert stranger.get("/.well-known/jwks.json").json == {"keys": []}
