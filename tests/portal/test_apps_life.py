"""A permission through the days, on the pages of the person and with the token of the app."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.exchange.conftest import office  # noqa: F401 -- a fixture
from tests.exchange.desk import Office
from tests.portal.test_approval_real import HOSPITAL, answered, code_in, filled, page_of
from tests.threats.composed import BASE, OURS, Browser

DAY = 86400


class App:
    """The app, with what it was given."""

    def __init__(self, office: Office, browser: Browser, **fields: Any) -> None:  # noqa: F811 -- the fixture's name
        issued = office.redeem(code_in(answered(browser, page_of(office.ask()), "approve", **fields)))
        self._client = office.composed.house.app.test_client(use_cookies=False)
        self._client_id = office.app.client_id
        self._office = office
        self.access, self.refresh_token = issued.access_token, str(issued.refresh_token)

    def reads(self, path: str = "ImagingStudy") -> TestResponse:
        headers = {"Authorization": f"Bearer {self.access}"}
        return self._client.get(f"/{HOSPITAL}/fhir/{path}", base_url=BASE, headers=headers)

    def refresh(self) -> TestResponse:
        form = {"grant_type": "refresh_token", "refresh_token": self.refresh_token, "client_id": self._client_id}
        answer = self._client.post(f"/{HOSPITAL}/oauth/token", base_url=BASE, data=form)
        if answer.status_code == 200:
            self.access, self.refresh_token = answer.json["access_token"], answer.json["refresh_token"]  # type: ignore[index] # it is an object
        return answer

    def is_refused(self, status: int, code: str) -> None:
        """Its request is, and the hospital hears nothing of it."""
        before = self._office.composed.calls()
        answer = self.reads()
        assert answer.status_code == status, answer.text
        assert code in answer.text + answer.headers.get("WWW-Authenticate", "")
        assert self._office.composed.calls() == before


def press(browser: Browser, action: str) -> str:
    """A button of the page of apps, by where its form leads; the page that it leads to."""
    found = re.search(rf'action="([^"]+/{action})"', browser.my("apps/").text)
    assert found is not None, action
    answer = browser.post(found[1])
    assert answer.status_code == 303
    return " ".join(browser.get(answer.headers["Location"]).text.split())


def days_pass(office: Office, days: float) -> None:  # noqa: F811
    office.composed.clock.advance(days * DAY)
    office.work()


@pytest.mark.promise("B7")
def test_asleep_it_sees_nothing_and_one_press_wakes_it(office: Office) -> None:  # noqa: F811
    browser, _ = office.someone()
    app = App(office, browser)
    assert app.reads().status_code == 200
    days_pass(office, 84)
    days_pass(office, 8)
    assert app.refresh().status_code == 200
    app.is_refused(403, "dormant")
    browser, _ = office.someone()
    assert "Asleep" in browser.my("apps/").text
    assert "Woken by the patient" in press(browser, "wake")
    assert app.reads().status_code == 200


@pytest.mark.promise("B4")
def test_paused_it_sees_nothing_and_goes_on_where_it_was(office: Office) -> None:  # noqa: F811
    browser, _ = office.someone()
    app = App(office, browser)
    assert "The app sees nothing until you let it go on." in press(browser, "pause")
    app.is_refused(403, "paused")
    assert app.refresh().status_code == 200
    app.is_refused(403, "paused")
    assert "Let go on by the patient" in press(browser, "resume")
    assert app.reads().status_code == 200


@pytest.mark.promise("B2")
def test_its_time_ends_by_itself_at_the_end_of_the_day(office: Office) -> None:  # noqa: F811
    browser, ana = office.someone()
    last = (office.composed.clock.now() + timedelta(days=30)).date()
    app = App(office, browser, expires=last.isoformat())
    end, first = office.the_grant(ana).expires_at, office.composed.first
    assert end is not None
    first.ehr.server.at("/auth/token", first.ehr.said_next({"access_token": first.token("ana")}))
    office.composed.clock.advance((end - office.composed.clock.now()).total_seconds() - 60)
    assert app.refresh().status_code == 200
    assert app.reads().status_code == 200
    office.composed.clock.advance(61)  # and no worker has looked yet
    app.is_refused(401, "invalid_token")
    refused = app.refresh()
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_grant")  # type: ignore[index] # it is an object
    office.work()
    first.ehr.server.at("/auth/token", first.ehr.token)
    browser, _ = office.someone()
    page = browser.my("apps/").text
    assert "Time is over" in page
    assert "/revoke" not in page


@pytest.mark.promise("B4")
def test_less_is_seen_from_the_moment_of_a_change_and_more_is_refused(office: Office) -> None:  # noqa: F811
    browser, ana = office.someone()
    app = App(office, browser, reports="yes")
    assert app.reads("DiagnosticReport").status_code == 200
    one = f"/my/{browser.ctx}/apps/{office.the_grant(ana).id}/"
    form = {**filled(browser.get(one).text), "decision": "change"}
    less = {**form, "reports": "no"}
    assert browser.open(f"{one}change", method="POST", data=less, headers=OURS).status_code == 303
    assert app.reads("DiagnosticReport").status_code == 403
    assert app.reads().status_code == 200
    more = browser.open(f"{one}change", method="POST", data=form, headers=OURS)
    assert more.status_code == 400
    assert "Nothing was changed yet." in more.text
    assert app.reads("DiagnosticReport").status_code == 403


@pytest.mark.promise("B4")
@pytest.mark.promise("B7")
def test_what_is_kept_of_it_says_what_it_must_and_no_more(office: Office) -> None:  # noqa: F811
    browser, ana = office.someone()
    App(office, browser, images="deidentified", purpose="TREAT", expires="2099-01-02")
    one = f"apps/{office.the_grant(ana).id}/"
    said = json.loads(browser.my(f"{one}receipt.json").data)["grant"]
    assert (said["client"]["name"], said["images"], said["reports"]) == ("Canary Heart App", "deidentified", False)
    assert browser.my(f"{one}receipt.pdf").data.startswith(b"%PDF-")
    reminder = browser.my(f"{one}reminder.ics")
    assert reminder.mimetype == "text/calendar"
    assert "DTSTART:20981227T160000Z" in reminder.text
    for word in ("Canary", "Heart", "scan", "chest", "image", "patient", "St-Elsewhere"):
        assert word.lower() not in reminder.text.replace(BASE, "").lower(), word
    stranger, _ = office.someone("ben")
    for name in ("", "receipt.json", "receipt.pdf", "reminder.ics"):
        assert stranger.my(f"{one}{name}").status_code == 404
