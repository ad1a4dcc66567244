"""A patient before an EHR and a PACS that fail: what is seen, that nothing foreign or half is, and that it passes."""

from __future__ import annotations

import contextlib
import html
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from smartapp.sandbox.faults.catalogue import KINDS
from tests.journey.fault_table import CASES, WELL, Case, document
from tests.journey.walk import open_study, press_my_imaging, sign_in_at_portal
from tests.support.sandboxes import Sandbox, running
from tests.support.visitor import Visitor, open_my_imaging

OTHERS = re.compile(r"Okafor|SE-1002|another\.example")
"""What only another patient's record says, or a spoiled token."""
STALE = 130
"""Seconds after which the list is asked for anew."""
CALM = 130
"""Seconds after which whoever asked to be left alone (429, for two minutes) may be asked again."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running() as ready:
        yield ready


@pytest.fixture(autouse=True)
def calm(sandbox: Sandbox) -> Iterator[None]:
    yield
    for part in KINDS:
        requests.delete(f"{sandbox['faults']}/{part}", timeout=10)
    _later(sandbox, CALM)


def _later(sandbox: Sandbox, seconds: int) -> None:
    requests.post(f"{sandbox['faults']}/clock", json={"seconds": seconds}, timeout=10).raise_for_status()


def _set(sandbox: Sandbox, case: Case) -> None:
    asked = {"fault": case.fault, "match": case.match, **case.more}
    answer = requests.put(f"{sandbox['faults']}/{case.part}", json=asked, timeout=10)
    assert answer.ok, answer.text


def _rows(sandbox: Sandbox, after: int = 0) -> list[tuple[int, str]]:
    path = Path(sandbox["data"]) / "app" / "smartapp.db"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return database.execute("SELECT seq, kind FROM audit_events WHERE seq > ? ORDER BY seq", (after,)).fetchall()


def _pictures(visitor: Visitor) -> list[str]:
    """The addresses of the chest CT's pictures, without script, as the first page of its series has them."""
    list_page = visitor.page.url
    study = urljoin(list_page, _link(visitor.page.text, "CT scan: chest"))
    series = urljoin(study, re.findall(r'href="([^"]+/series/[0-9.]+)"', visitor.open(study).page.text)[0])
    found = re.findall(r'<img src="([^"]+/thumbnail)"', visitor.open(series).page.text)
    assert len(found) > len(CASES), series
    return [urljoin(list_page, each) for each in found]


def _link(page: str, words: str) -> str:
    """The newest study of this name."""
    found = {said: href for href, said in reversed(re.findall(r'<h3><a href="([^"]+)">([^<]+)</a>', page))}
    return str(found[words])


def _meet(sandbox: Sandbox, case: Case) -> requests.Response:
    """The page that the fault leads to. It has been seen well before, or is the sign-in itself."""
    if case.when == "sign-in":
        visitor = Visitor().open(sandbox["ehr"]["portal"])
        visitor.submit(username="ana", password="ana-sandbox")
        _set(sandbox, case)
        return visitor.submit("My imaging").page
    visitor = open_my_imaging(sandbox)
    here = visitor.page.url
    if case.when == "pictures":
        pictures = _pictures(visitor)
        _set(sandbox, case)
        return visitor.open(pictures[CASES.index(case)]).page
    if case.when == "later":
        for _ in range(4):  # the token lives for an hour; looking at pages keeps the session alive meanwhile
            _later(sandbox, 860)
            visitor.open(here)
    _later(sandbox, STALE)
    _set(sandbox, case)
    return visitor.open(here).page


@pytest.mark.promise("E8")
@pytest.mark.threat("F1")
@pytest.mark.threat("F2")
@pytest.mark.threat("F3")
@pytest.mark.threat("F4")
@pytest.mark.threat("F6")
@pytest.mark.threat("F8")
@pytest.mark.threat("F9")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_seen(sandbox: Sandbox, case: Case) -> None:
    before = max((seq for seq, _ in _rows(sandbox)), default=0)
    page = _meet(sandbox, case)
    shown = html.unescape(page.text) if "text/html" in page.headers["Content-Type"] else ""
    assert (page.status_code, case.sees in shown) == (case.status, True), shown
    assert (case.row or "session.open") in {kind for _, kind in _rows(sandbox, before)}
    assert not OTHERS.search(shown)
    if case.when == "pictures":
        assert page.content.startswith(b"\xff\xd8") == (case.status == 200)
    if case.status == 503 and "seconds" in case.more and case.fault == "offline":
        assert page.headers["Retry-After"] == str(case.more["seconds"])
    assert requests.get(sandbox["faults"], timeout=10).json()["trapped"] == 0
    if case.when == "pictures":
        _well_again(sandbox, page.url)


def _well_again(sandbox: Sandbox, address: str) -> None:
    """The picture that a fault kept away: nothing of the failure was kept in its place."""
    requests.delete(f"{sandbox['faults']}/pacs", timeout=10)
    _later(sandbox, CALM)
    visitor = open_my_imaging(sandbox)
    context = urlsplit(visitor.page.url).path.split("/")[2]
    here = re.sub(r"/my/[^/]+/", f"/my/{context}/", address)
    assert visitor.open(here).page.content.startswith(b"\xff\xd8"), address


def test_afterwards_everything_is_well_again(sandbox: Sandbox) -> None:
    visitor = open_my_imaging(sandbox)
    assert WELL in visitor.page.text
    assert visitor.open(_pictures(visitor)[len(CASES)]).page.content.startswith(b"\xff\xd8")


def test_the_table_names_every_fault_and_the_document_is_made_from_it() -> None:
    assert {(part, name) for part, kinds in KINDS.items() for name in kinds} == {(c.part, c.fault) for c in CASES}
    assert Path("docs/faults.md").read_text() == document()


@pytest.mark.promise("E8")
@pytest.mark.parametrize("fault", ["html", "short", "wrong-study", "no-closing-boundary", "500"])
def test_the_viewer_shows_a_word_and_no_half_picture(chromium: Browser, sandbox: Sandbox, fault: str) -> None:
    _later(sandbox, CALM)
    with _open_list(chromium, sandbox) as page:
        requests.put(f"{sandbox['faults']}/pacs", json={"fault": fault, "match": "*/instances/"}, timeout=10)
        open_study(page, "MRI scan: brain")
        page.wait_for_selector("#viewer[data-state=error]", timeout=60_000)
        expect(page.locator("#viewer-message")).to_be_visible()
        assert page.locator("#viewer-canvas[data-state=ready]").count() == 0
        assert not OTHERS.search(page.content())


@pytest.mark.promise("A3")
def test_pictures_from_an_offline_store_are_waited_for(chromium: Browser, sandbox: Sandbox) -> None:
    """The study's page says so and asks again by itself, with no script; then the pictures are there."""
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in_at_portal(page, sandbox, "ana")
    press_my_imaging(page, sandbox)
    requests.put(
        f"{sandbox['faults']}/pacs",
        json={"fault": "offline", "seconds": 1, "match": "*/series", "times": 3},
        timeout=10,
    ).raise_for_status()
    page.get_by_role("link", name="X-ray: hand").first.click()
    expect(page.locator("main")).to_contain_text("It may still be fetching them.")
    expect(page.locator("main [data-series-link]").first).to_be_visible(timeout=30_000)
    context.close()


@contextlib.contextmanager
def _open_list(chromium: Browser, sandbox: Sandbox) -> Iterator[Page]:
    context = chromium.new_context()
    page = context.new_page()
    sign_in_at_portal(page, sandbox, "ana")
    press_my_imaging(page, sandbox)
    yield page
    context.close()
