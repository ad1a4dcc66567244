"""The pages about apps with everything real behind them: from the app's request to its token, and to its end."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import TestResponse

from smartapp.errors import NotSignedIn
from tests.exchange.conftest import office  # noqa: F401 -- a fixture
from tests.exchange.desk import ALL, Office
from tests.portal.test_hostile import Seen
from tests.threats.composed import OURS, Browser

HOSPITAL = "st-elsewhere"


def page_of(handle: str) -> str:
    return f"/{HOSPITAL}/oauth/approve/{handle}"


def filled(page: str) -> dict[str, Any]:
    """The page's own form as it stands: what a browser without script would send."""
    found: dict[str, Any] = {}
    form = page[page.index('<form class="terms"') : page.index("</form>", page.index('<form class="terms"'))]
    for tag, said in Seen(form).tags:
        name, kind = said.get("name"), said.get("type")
        if tag != "input" or not name or (kind in {"checkbox", "radio"} and "checked" not in said):
            continue
        found.setdefault(name, []).append(said.get("value") or "")
    return {**found, "purpose": "PATRQT"}


def answered(browser: Browser, path: str, decision: str, **fields: Any) -> TestResponse:
    data = {**filled(browser.get(path).text), "decision": decision, **fields}
    return browser.open(path, method="POST", data=data, headers=OURS)


def code_in(answer: TestResponse) -> str:
    assert answer.status_code == 303, answer.text
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert query["state"] == ["st&ate"]
    assert query["iss"] == [f"https://images.example.org/{HOSPITAL}"]
    return query["code"][0]


@pytest.mark.promise("B2")
@pytest.mark.promise("B4")
def test_from_the_request_to_a_token_and_to_its_end(office: Office) -> None:  # noqa: F811 -- the fixture
    browser, _ = office.someone()
    handle = office.ask()
    answer = answered(browser, page_of(handle), "approve")
    issued = office.redeem(code_in(answer))
    tokens = office.parts.app_tokens
    app = tokens.lookup(HOSPITAL, issued.access_token)
    listed = browser.my("apps/").text
    assert "Canary Heart App" in listed
    revoke = re.search(r'action="([^"]+/revoke)"', listed)
    assert revoke is not None
    assert browser.post(revoke[1].replace("/revoke", "/pause")).status_code == 303
    assert "Paused" in browser.my("apps/").text
    assert browser.post(revoke[1].replace("/revoke", "/resume")).status_code == 303
    tokens.require_live(app)
    assert browser.post(revoke[1]).status_code == 303
    with pytest.raises(NotSignedIn):
        tokens.lookup(HOSPITAL, issued.access_token)
    page = browser.get(revoke[1].removesuffix("revoke")).text
    assert "The app sees nothing any more." in page
    assert "/revoke" not in page


@pytest.mark.promise("B2")
def test_what_is_narrowed_on_the_page_is_what_the_grant_says(office: Office) -> None:  # noqa: F811
    browser, ana = office.someone()
    handle = office.ask()
    changed = {"images": "deidentified", "reports": "yes", "studies": "chosen", "study": "1.2.3", "purpose": "TREAT"}
    code_in(answered(browser, page_of(handle), "approve", **changed))
    terms = office.the_grant(ana).terms
    assert (terms.images, terms.reports, terms.chosen, terms.purpose) == (
        "deidentified",
        True,
        frozenset({"1.2.3"}),
        "TREAT",
    )
    one = f"/my/{browser.ctx}/apps/{office.the_grant(ana).id}/"
    data = {**filled(browser.get(one).text), "decision": "change", "images": "none", "purpose": "TREAT"}
    assert browser.open(f"{one}change", method="POST", data=data, headers=OURS).status_code == 303
    assert (office.the_grant(ana).version, office.the_grant(ana).terms.images) == (2, "none")
    wider = {**data, "images": "full"}
    assert browser.open(f"{one}change", method="POST", data=wider, headers=OURS).status_code == 400
    assert office.the_grant(ana).version == 2


@pytest.mark.promise("B2")
def test_the_list_of_today_can_be_fixed_on_the_page(office: Office) -> None:  # noqa: F811
    browser, ana = office.someone()
    code_in(answered(browser, page_of(office.ask()), "approve", future="no"))
    terms = office.the_grant(ana).terms
    assert terms.future is False
    assert "1.2.3" in (terms.chosen or ())


def test_no_grants_nothing(office: Office) -> None:  # noqa: F811
    browser, ana = office.someone()
    handle = office.ask()
    answer = answered(browser, page_of(handle), "deny")
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["error"] == ["access_denied"]
    assert office.grants.list(ana) == ()
    assert browser.get(page_of(handle)).status_code == 404


@pytest.mark.threat("O22")
def test_a_request_is_answered_once_in_its_session_and_with_what_was_asked(office: Office) -> None:  # noqa: F811
    browser, ana = office.someone()
    handle = office.ask()
    stranger, _ = office.someone("ben")
    form = filled(browser.get(page_of(handle)).text)
    before = office.composed.calls()
    assert stranger.get(page_of(handle)).status_code == 400
    added = {**form, "decision": "approve", "scope": [*form["scope"], "system/*.rs"]}
    assert browser.open(page_of(handle), method="POST", data=added, headers=OURS).status_code == 400
    assert browser.open(page_of(handle), method="POST", data={"decision": "approve"}, headers=OURS).status_code == 400
    assert office.grants.list(ana) == ()
    assert office.composed.calls() == before
    assert office.composed.kinds().count("consent.tamper") == 2
    said = {**form, "decision": "approve"}
    assert browser.open(page_of(handle), method="POST", data=said, headers=OURS).status_code == 303
    assert browser.open(page_of(handle), method="POST", data=said, headers=OURS).status_code == 404
    assert office.the_grant(ana).version == 1


def test_a_sign_in_comes_back_to_the_request(office: Office) -> None:  # noqa: F811
    browser, handle = office.composed.browser(), office.ask(scope=ALL.replace(" offline_access", ""))
    answer = browser.get(page_of(handle))
    assert answer.status_code == 303
    back = browser.back(office.composed.first.consent(answer.headers["Location"], "ana"))
    assert (back.status_code, back.headers["Location"]) == (303, page_of(handle))
    page = browser.get(page_of(handle))
    assert page.status_code == 200
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token is not None
    left = browser.post(f"{page_of(handle)}/leave", token=token[1])
    assert left.headers["Location"] == f"{page_of(handle)}/left"
    again = browser.get(page_of(handle))
    back = browser.back(office.composed.first.consent(again.headers["Location"], "ben"))
    assert browser.get(page_of(handle)).status_code == 200


@pytest.mark.promise("B4")
@pytest.mark.promise("B7")
def test_receipt_and_reminder_are_real(office: Office) -> None:  # noqa: F811
    browser, ana = office.someone()
    code_in(answered(browser, page_of(office.ask()), "approve"))
    one = f"apps/{office.the_grant(ana).id}/"
    assert browser.my(f"{one}receipt.pdf").data.startswith(b"%PDF-")
    assert json.loads(browser.my(f"{one}receipt.json").data)
    assert browser.my(f"{one}reminder.ics").text.startswith("BEGIN:VCALENDAR\r\n")


def test_an_app_is_launched_for_this_record(office: Office) -> None:  # noqa: F811
    browser, _ = office.someone()
    answer = browser.post(f"/my/{browser.ctx}/apps/launch/{office.app.client_id}")
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert query["iss"] == [f"https://images.example.org/{HOSPITAL}/fhir"]
    taken = office.grants.take_launch(query["launch"][0], office.app.client_id)
    assert taken is not None
    assert office.grants.take_launch(query["launch"][0], office.app.client_id) is None
