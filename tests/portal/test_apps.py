"""The pages about apps with access: what each may see and did see, and what one press does."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from smartapp.consent.grants.model import GrantState
from smartapp.exchange.grants.model import TermsRefused
from smartapp.portal.apps.addresses import is_web_address, with_query
from tests.portal import app_fakes, fakes
from tests.portal.conftest import Portal
from tests.portal.test_approval import ASKED, OURS, send
from tests.support.clock import FixedClock

LIST = "/my/ctx-ana/apps/"
ONE = f"{LIST}{app_fakes.GRANT}/"
CHANGE = f"{LIST}{app_fakes.GRANT}/change"


@pytest.mark.promise("B4")
def test_the_list_says_what_each_may_see_did_see_until_when_and_who_said_so(client: FlaskClient) -> None:
    page = client.get(LIST).text
    living, history = page[: page.index("<h2>History")], page[page.index("<h2>History") :]
    for words in (
        "Heart Watch",
        "Has access",
        "All examinations, and those that come later.",
        "With the reports.",
        "Until you end it",
        "by the patient (you)",
        "12 pictures so far",
    ):
        assert words in " ".join(living.split()), words
    assert f'action="{LIST}{app_fakes.GRANT}/revoke"' in living
    assert "Ended" in history
    assert "/revoke" not in history


@pytest.mark.promise("B7")
def test_the_list_leads_to_where_reminders_are_sent(portal: Portal, client: FlaskClient) -> None:
    found = re.search(r'remind you of these apps[^<]*<a href="([^"]+)"', client.get(LIST).text)
    assert found is not None
    assert found[1] == "/my/ctx-ana/alerts/"
    portal.app_grants.grant = app_fakes.sample_grant(GrantState.ENDED)
    assert "remind you" not in client.get(LIST).text


@pytest.mark.promise("B4")
def test_one_apps_page_says_what_it_did_see_study_by_study(client: FlaskClient) -> None:
    page = " ".join(client.get(ONE).text.split())
    for words in (
        "CT scan: head",
        "12 pictures",
        "An examination that the list does not show now",
        "The report",
        "It read the list of examinations",
        "Allowed by the patient",
        "Find and read the reports.",
    ):
        assert words in page, words


@pytest.mark.promise("B4")
@pytest.mark.parametrize(
    ("action", "call"), [("revoke", "end"), *((name, name) for name in ("pause", "resume", "wake"))]
)
def test_one_press_does_it(portal: Portal, client: FlaskClient, action: str, call: str) -> None:
    answer = client.post(f"{ONE}{action}", data={"csrf_token": portal.csrf()}, headers=OURS)
    assert (answer.status_code, answer.headers["Location"]) == (303, ONE)
    assert portal.app_grants.calls == [(call, app_fakes.GRANT)]


@pytest.mark.parametrize(
    ("state", "there", "absent"),
    [
        (GrantState.ACTIVE, ("pause", "revoke"), ("resume", "wake")),
        (GrantState.PAUSED, ("resume", "revoke"), ("pause", "wake")),
        (GrantState.DORMANT, ("wake", "revoke"), ("pause", "resume")),
        (GrantState.NEEDS_SIGN_IN, ("revoke",), ("pause", "resume", "wake")),
        (GrantState.FROZEN, ("revoke",), ("pause", "resume", "wake")),
        (GrantState.ENDED, (), ("pause", "resume", "wake", "revoke", "change")),
        (GrantState.SUSPENDED, (), ("pause", "resume", "wake", "revoke", "change")),
    ],
)
def test_each_state_offers_what_can_be_done(
    portal: Portal, client: FlaskClient, state: GrantState, there: tuple[str, ...], absent: tuple[str, ...]
) -> None:
    portal.app_grants.grant = app_fakes.sample_grant(state)
    page = client.get(ONE).text
    for action in there:
        assert f'action="{ONE}{action}"' in page
    for action in absent:
        assert f'action="{ONE}{action}"' not in page


def test_a_grant_that_is_over_by_time_is_history(portal: Portal, client: FlaskClient) -> None:
    portal.app_grants.grant = app_fakes.sample_grant(expires_at=fakes.NOW - timedelta(days=1))
    page = client.get(LIST).text
    assert "No app has access to this record." in page
    assert "Time is over" in page


def test_another_ones_grant_is_not_there(client: FlaskClient) -> None:
    assert client.get(f"{LIST}grt-other/").status_code == 404


@pytest.mark.threat("S21")
@pytest.mark.parametrize("path", ["", f"{app_fakes.GRANT}/", f"{app_fakes.GRANT}/receipt.pdf"])
def test_a_page_of_another_record_says_so(client: FlaskClient, path: str) -> None:
    assert client.get(f"/my/ctx-eli/apps/{path}").status_code == 409


@pytest.mark.promise("A6")
def test_a_representative_sees_whose_record_it_is(portal: Portal) -> None:
    page = portal.client("ses-dana").get("/my/ctx-eli/apps/").text
    assert "You are viewing the record of Eli Novak as their representative." in page


@pytest.mark.promise("B4")
def test_a_change_narrows(portal: Portal, client: FlaskClient) -> None:
    answer = send(portal, "change", CHANGE, modality=["CT"], images="none")
    assert (answer.status_code, answer.headers["Location"]) == (303, ONE)
    [(what, terms)] = portal.app_grants.calls
    assert (what, terms.modalities, terms.images) == ("change", frozenset({"CT"}), "none")


def test_the_form_of_a_change_offers_nothing_wider(portal: Portal, client: FlaskClient) -> None:
    chosen = frozenset({fakes.CT, "9.9.9"})
    portal.app_grants.grant = app_fakes.sample_grant(
        chosen=chosen, future=False, images="deidentified", reports=False, modalities=frozenset({"CT"})
    )
    page = client.get(ONE).text
    form = page[page.index('class="terms"') :]
    assert f'value="{fakes.CT}" checked' in form
    assert 'value="9.9.9" checked' in form
    for gone in (f'value="{fakes.HEAD}"', 'value="all"', 'value="full"', 'name="reports"', 'value="DX"', "HRESCH"):
        assert gone not in form, gone
    assert send(portal, "change", CHANGE, purpose="HRESCH").status_code == 400
    assert portal.app_grants.calls == []


def test_a_change_that_allows_more_is_refused_on_the_page(portal: Portal) -> None:
    portal.app_grants.refusal = TermsRefused("grant.widens")
    answer = send(portal, "change", CHANGE)
    assert answer.status_code == 400
    assert "The app has to ask you for it again." in answer.text


def test_a_change_with_a_fault_changes_nothing(portal: Portal) -> None:
    answer = send(portal, "change", CHANGE, expires="2020-01-01")
    assert answer.status_code == 400
    assert "This day has passed" in answer.text
    assert send(portal, "preview", CHANGE, modality=["DX"]).status_code == 200
    assert "1 examination today" in send(portal, path=f"{ONE}preview", modality=["DX"]).text
    assert portal.app_grants.calls == []


def test_the_management_endpoint_leads_to_the_open_record_or_to_the_sign_in(portal: Portal) -> None:
    assert portal.client().get("/my/apps").headers["Location"] == LIST
    answer = portal.client(None).get("/my/apps")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


@pytest.mark.promise("B4")
@pytest.mark.parametrize(
    ("name", "kind"),
    [("receipt.json", "application/json"), ("receipt.pdf", "application/pdf"), ("reminder.ics", "text/calendar")],
)
def test_what_can_be_kept_is_a_download(client: FlaskClient, name: str, kind: str) -> None:
    answer = client.get(f"{ONE}{name}")
    assert (answer.status_code, answer.mimetype) == (200, kind)
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")


@pytest.mark.promise("B7")
@pytest.mark.parametrize(
    ("days", "expected"),
    [(None, "2026-05-31"), (30, "2026-03-25"), (4, "2026-03-04"), (-1, "2026-05-31")],
    ids=["open", "ends", "ends soon", "over"],
)
def test_the_reminder_comes_before_the_end_and_names_no_health(
    portal: Portal, client: FlaskClient, days: int | None, expected: str
) -> None:
    end = FixedClock().now() + timedelta(days=days) if days else None
    portal.app_grants.grant = app_fakes.sample_grant(expires_at=end)
    text = client.get(f"{ONE}reminder.ics").text
    assert f"BEGIN:VCALENDAR {expected}" in text
    for word in ("Heart", "scan", "Ana", "hospital", "picture", "examination"):
        assert word not in text


@pytest.mark.clause("SMART 2.2", "161")
def test_an_app_is_opened_with_iss_and_a_value_that_counts_once(portal: Portal, client: FlaskClient) -> None:
    page = client.get(LIST)
    assert f'action="{LIST}launch/app-1"' in page.text
    leads = "form-action 'self' http://localhost:9 https://app.example.org https://launch.example.org"
    assert page.headers["Content-Security-Policy"].endswith(leads)  # on its way through the hospital's sign-in, too
    answer = client.post(f"{LIST}launch/app-1", data={"csrf_token": portal.csrf()}, headers=OURS)
    base = "https%3A%2F%2F" if portal.base_url.startswith("https") else "http%3A%2F%2F"
    iss = f"{base}127.0.0.1%3A8123%2Fst-elsewhere%2Ffhir"
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"https://launch.example.org/start?iss={iss}&launch=sal_1"


@pytest.mark.promise("B1")
def test_an_app_is_opened_with_an_examination(portal: Portal, client: FlaskClient) -> None:
    page = client.get(LIST, query_string={"study": fakes.HEAD}).text
    assert f'name="study" value="{fakes.HEAD}"' in page
    assert "It opens with this examination: CT scan: head" in page
    assert f"{LIST}?study={fakes.HEAD}#open" in client.get(f"/my/ctx-ana/studies/{fakes.HEAD}").text
    data = {"csrf_token": portal.csrf(), "study": fakes.HEAD}
    assert client.post(f"{LIST}launch/app-1", data=data, headers=OURS).status_code == 303
    assert portal.app_grants.calls == [("launch", "app-1", fakes.HEAD)]
    assert client.get(LIST, query_string={"study": "1.2.3.4"}).status_code == 404
    portal.apps.apps = (app_fakes.sample_app(launch_uri=""),)
    assert "No app can be opened from here." in client.get(LIST, query_string={"study": fakes.HEAD}).text


def test_only_apps_with_a_place_to_begin_can_be_opened(portal: Portal, client: FlaskClient) -> None:
    portal.apps.apps = (app_fakes.sample_app(launch_uri=""), replace(app_fakes.sample_app(launch_uri="javascript:x")))
    assert "Open an app" not in client.get(LIST).text
    answer = client.post(f"{LIST}launch/app-9", data={"csrf_token": portal.csrf()}, headers=OURS)
    assert answer.status_code == 404
    assert portal.app_grants.calls == []


@pytest.mark.parametrize(
    "address", [None, "", "javascript:alert(1)", "//x.example", "https://", "data:text/html,x", "http://[x"]
)
def test_only_web_addresses_become_links(address: Any) -> None:
    assert not is_web_address(address)


def test_a_query_is_kept() -> None:
    assert with_query("https://a.example/l?x=1", iss="i") == "https://a.example/l?x=1&iss=i"


def test_every_scope_of_a_grant_is_in_the_form(client: FlaskClient) -> None:
    page = client.get(ONE).text
    for scope in ASKED:
        assert f'name="scope" value="{scope}" checked' in page
