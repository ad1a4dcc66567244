"""Reports that are not shown yet, and pictures that are being fetched: what the page says, and when it asks again."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest
from flask.testing import FlaskClient

from smartapp.errors import UpstreamDown
from smartapp.records.model import StudyPage, Withheld
from tests.portal import fakes
from tests.portal.conftest import Portal

STUDY = f"/my/ctx-ana/studies/{fakes.CT}"
SERIES = f"{STUDY}/series/{fakes.SERIES}"
REFRESH = re.compile(r'<meta http-equiv="refresh" content="(\d+); url=(/my/[^"]+)">')


def stub(portal: Portal, monkeypatch: pytest.MonkeyPatch, **changed: object) -> None:
    """The study's page as it would be, but for what is `changed`."""
    good = portal.records.study

    def study(*args: object) -> StudyPage:
        return replace(good(*args), **changed)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(portal.records, "study", study)


@pytest.mark.promise("A2")
@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("blocked", "your care team asked to talk with you first"),
        ("preliminary", "no doctor has confirmed it yet"),
        ("delayed", "it is shown from March"),
    ],
)
def test_a_report_that_is_held_back_is_said_with_its_reason(
    portal: Portal,
    client: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    why: Literal["blocked", "preliminary", "delayed"],
    words: str,
) -> None:
    until = fakes.NOW.replace(month=3, day=2) + timedelta(hours=72) if why == "delayed" else None
    stub(portal, monkeypatch, reports=(), withheld=(Withheld("rep-1", why, until),))
    page = client.get(STUDY).text
    assert words in page
    assert "There is no report for this examination yet" not in page


def test_the_list_says_that_there_is_one(portal: Portal, client: FlaskClient) -> None:
    portal.records.studies_found = (replace(portal.records.studies_found[0], report_status="withheld"),)
    assert "Report not shown yet" in client.get("/my/ctx-ana/").text


@pytest.mark.promise("A3")
def test_pictures_being_fetched_are_asked_for_again_a_few_times(
    portal: Portal, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub(portal, monkeypatch, series=(), problems=("pacs-missing",), again=5)
    address, seen = f"{STUDY}?page=2", []
    while found := REFRESH.search(page := client.get(address).text):
        assert "cannot give the pictures yet" in page
        assert found[1] == "5"
        address = found[2].replace("&amp;", "&")
        seen.append(address)
    assert seen == [f"{STUDY}?page=2&again={n}" for n in range(1, 7)]


@pytest.mark.parametrize(("seconds", "tries"), [(None, False), (0, True), (120, True), (121, False), (86400, False)])
def test_a_series_page_of_an_archive_that_is_away(
    portal: Portal, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, seconds: int | None, *, tries: bool
) -> None:
    stub(portal, monkeypatch, series=(), problems=("pacs-missing",), again=seconds)
    answer = client.get(SERIES)
    assert answer.status_code == 503
    assert answer.headers.get("Retry-After") == (str(seconds) if seconds is not None else None)
    assert bool(REFRESH.search(answer.text)) is tries


def test_a_page_whose_code_is_spent_is_not_asked_for_again(
    portal: Portal, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def finish(*_args: object, **_more: object) -> None:
        raise UpstreamDown(retry_after=5)

    monkeypatch.setattr(portal.sign_in, "finish", finish)
    answer = client.get("/callback?code=c&state=s")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "http-equiv" not in answer.text
