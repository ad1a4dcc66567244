"""A token that was used twice: the app is stopped, and its person is told, on the page and by mail."""

from __future__ import annotations

import json
import re

import pytest

from smartapp.errors import CodeRefused, NotSignedIn, RefreshRefused
from smartapp.tokens.apps.model import Issued
from tests.exchange.desk import Office

HOSPITAL = "st-elsewhere"
SUBJECT = "We stopped an app, to be safe"


def refresh(office: Office, token: str | None) -> Issued:
    return office.parts.app_tokens.refresh(
        HOSPITAL, token or "", client_id=None, narrow=lambda granted: granted, request_id="req-3"
    )


def dead(office: Office, issued: Issued) -> None:
    with pytest.raises(NotSignedIn):
        office.parts.app_tokens.lookup(HOSPITAL, issued.access_token)


@pytest.mark.threat("O26")
@pytest.mark.promise("B4")
@pytest.mark.promise("A7")
def test_a_spent_refresh_token_stops_the_app_and_its_person_is_told(any_office: Office) -> None:
    office = any_office
    browser, ana = office.someone()
    office.with_mail(ana)
    first = office.redeem(office.approve(ana))
    second = refresh(office, first.refresh_token)
    office.letters()
    office.composed.clock.advance(11)
    for _ in range(2):  # told once
        with pytest.raises(RefreshRefused):
            refresh(office, first.refresh_token)
    dead(office, second)
    [letter] = office.letters()
    assert (letter["to"], letter["subject"]) == ("ana@example.org", SUBJECT)
    assert "https://images.example.org/my/apps" in letter["text"]
    for telling in ("Canary", "Heart", "scan", "report", "imaging", "patient", "CT", "health"):
        assert not re.search(rf"\b{telling}", json.dumps(letter["subject"] + letter["text"]), re.IGNORECASE), telling
    assert office.composed.kinds().count("oauth.refresh.reuse") == 1
    page = browser.my(f"apps/{office.the_grant(ana).id}/").text
    assert "one was used twice" in page
    assert "tokens-stopped" not in page


@pytest.mark.threat("O1")
def test_a_code_that_was_shown_twice_is_told_too(office: Office) -> None:
    _, ana = office.someone()
    office.with_mail(ana)
    code = office.approve(ana)
    issued = office.redeem(code)
    office.letters()
    for _ in range(2):
        with pytest.raises(CodeRefused):
            office.redeem(code)
    dead(office, issued)
    assert [letter["subject"] for letter in office.letters()] == [SUBJECT]


def test_what_did_no_harm_is_told_to_nobody(office: Office) -> None:
    """A retry within the time of grace, an unknown token, and an app that gives its token back."""
    _, ana = office.someone()
    office.with_mail(ana)
    first = office.redeem(office.approve(ana))
    office.letters()
    refresh(office, first.refresh_token)
    second = refresh(office, first.refresh_token)
    with pytest.raises(RefreshRefused):
        refresh(office, "srt_unknown")
    tokens = office.parts.app_tokens
    tokens.revoke(HOSPITAL, second.refresh_token or "", client_id=office.app.client_id, request_id="req-4")
    with pytest.raises(RefreshRefused):
        refresh(office, first.refresh_token)
    assert office.letters() == []
