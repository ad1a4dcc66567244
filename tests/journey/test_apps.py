"""A patient and somebody else's app, from the request to its end, with everything real."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.journey import app_walk
from tests.journey.app_sees import sees_its_pictures, sees_its_report, sees_nothing_else, the_study
from tests.journey.app_walk import CHEST, Sandbox, studies_of, tick
from tests.journey.walk import open_study, press_my_imaging, serious_faults, sign_in_at_portal
from tests.support.hospital_view import HospitalView
from tests.support.sandboxes import running

UNDERWAY = 48 * 2**20
"""Bytes that may still be in buffers between the worker and the app's user when it breaks off: of 300 MiB and more."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running() as ready:
        yield ready


@pytest.fixture(params=[(1440, True), (320, False)], ids=["desktop", "phone-without-script"])
def visitor(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[tuple[Page, bool]]:
    """A page, and whether it runs scripts."""
    wide, scripted = request.param
    size = ViewportSize(width=wide, height=900 if scripted else 640)
    context = chromium.new_context(viewport=size, java_script_enabled=scripted)
    context.set_default_timeout(30_000)
    yield context.new_page(), scripted
    context.close()


def narrow(page: Page, *, scripted: bool) -> None:
    """CT, chest, since 2024, de-identified, reports all the same, 30 days."""
    tick(page, "modality", "CT")
    tick(page, "bodysite", CHEST)
    page.fill("#started_from", "2024-01-01")
    tick(page, "images", "deidentified")
    tick(page, "reports", "yes")
    page.get_by_role("button", name="In 30 days").click()
    shows = page.get_by_role("button", name="Show what this reaches")
    expect(shows).to_have_count(0 if scripted else 1)
    expect(page.locator("#reach")).to_contain_text("1 examination today")


@contextmanager
def download(page: Page, sandbox: Sandbox, study_id_: str) -> Iterator[Iterator[bytes]]:
    """The sample app's own download on its way, read as slowly as one likes."""
    base = sandbox["sample_app"]["base"]
    cookies = {str(each.get("name")): str(each.get("value")) for each in page.context.cookies(base)}
    with requests.get(f"{base}/download/{study_id_}", cookies=cookies, stream=True, timeout=60) as answer:
        assert answer.status_code == 200
        yield answer.iter_content(64 * 1024)


def breaks_off(pieces: Iterator[bytes]) -> int:
    """How much still comes before the connection breaks, as it has to."""
    got = 0
    try:
        for piece in pieces:
            got += len(piece)
    except requests.exceptions.ChunkedEncodingError:
        return got
    pytest.fail(f"it ended as if it were whole, after {got} bytes more")


@pytest.mark.promise("B2")
@pytest.mark.promise("B3")
@pytest.mark.promise("B4")
@pytest.mark.threat("A21")
def test_an_app_gets_what_was_ticked_until_it_is_ended(visitor: tuple[Page, bool], sandbox: Sandbox) -> None:
    page, scripted = visitor
    app_walk.connect(page, sandbox, "ana")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert not scripted or serious_faults(page) == []
    narrow(page, scripted=scripted)
    listed = page.locator("#reach li").all_inner_texts()
    assert [" ".join(each.split()) for each in listed] == [
        "CT scan: chest September 17, 2026 · CT chest without contrast"
    ]
    token = app_walk.allow(page, sandbox)
    study, uid = the_study(token)
    assert (study["started"][:10], study["numberOfInstances"]) == ("2026-09-17", 600)
    sees_its_report(token, study)
    sees_its_pictures(token, study, uid)
    sees_nothing_else(token, uid)
    page.get_by_role("link", name="Studies and reports").click()
    expect(page.locator("#count")).to_have_text("1")
    expect(page.locator("#reports")).to_have_text("1")
    page.locator(".study a").click()
    expect(page.locator("#uid")).to_have_text(uid)
    expect(page.locator(".series img")).to_have_count(3)
    with download(page, sandbox, study["id"]) as under_way:
        assert next(under_way)
        app_walk.end_access(page, sandbox)
        assert breaks_off(under_way) < UNDERWAY
    refused = token.get(f"{sandbox['app']['fhir']}/ImagingStudy")
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert token.wado(f"studies/{uid}").status_code == 401
    page.goto(sandbox["sample_app"]["base"])
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator("#said")).to_contain_text("invalid_grant")


@pytest.fixture
def desk(chromium: Browser) -> Iterator[Page]:
    """A page of a browser with script."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


@pytest.mark.promise("B1")
@pytest.mark.promise("B4")
@pytest.mark.clause("SMART 2.2", "161")
def test_an_app_is_opened_from_an_examination_and_knows_which(desk: Page, sandbox: Sandbox) -> None:
    sign_in_at_portal(desk, sandbox, "ana")
    press_my_imaging(desk, sandbox)
    open_study(desk, "MRI scan: brain")
    desk.get_by_role("link", name="Open in an app").click()
    expect(desk.get_by_text("It opens with this examination: MRI scan: brain, June 11, 2023.")).to_be_visible()
    desk.get_by_role("button", name="Open Sample app").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("May “Sample app” see these examinations?")
    tick(desk, "images", "none")
    token = app_walk.allow(desk, sandbox)
    [context] = token.answer["fhirContext"]
    study = token.fhir(context["reference"])
    [brain] = [each for each in studies_of("ana") if each.body_part == "BRAIN"]
    assert study["identifier"][0]["value"] == f"urn:oid:{brain.uid}"
    assert token.wado(f"studies/{brain.uid}").status_code == 403
    app_walk.end_access(desk, sandbox)


@contextmanager
def no_consent_is_taken(sandbox: Sandbox) -> Iterator[None]:
    """Until the block ends: who writes one looks first whether it is there. Those on file are read as ever."""
    away = {"fault": "500", "match": "*/fhir/Consent?*identifier="}
    requests.put(f"{sandbox['faults']}/ehr", json=away, timeout=10).raise_for_status()
    try:
        yield
    finally:
        requests.delete(f"{sandbox['faults']}/ehr", timeout=10).raise_for_status()


@pytest.mark.promise("B5")
def test_what_was_allowed_stands_at_the_hospital_and_is_inactive_at_its_end(desk: Page, sandbox: Sandbox) -> None:
    """Though the hospital takes no Consent for a while: nobody waits for that, and nothing is lost."""
    ehr = HospitalView(sandbox)
    with no_consent_is_taken(sandbox):
        app_walk.connect(desk, sandbox, "ana")
        tick(desk, "modality", "MR")
        expect(desk.locator("#reach")).to_contain_text("1 examination today")
        token = app_walk.allow(desk, sandbox)
        assert len(token.all("ImagingStudy")) == 1
        grant = token.answer["authorization_details"][0]["grant"]
        assert ehr.consents(grant) == []
    requests.post(f"{sandbox['faults']}/clock", json={"seconds": 120}, timeout=10).raise_for_status()
    consent = ehr.consent(grant, "active")
    assert consent["patient"]["reference"] == "Patient/ana"
    [permit] = consent["provision"]["provision"]
    assert permit["code"][0]["coding"][0]["code"] == "MR"
    app_walk.end_access(desk, sandbox)
    ended = ehr.consent(grant, "inactive")
    assert (ended["id"], ended["meta"]["versionId"]) == (consent["id"], "2")


@pytest.mark.promise("A6")
@pytest.mark.promise("B4")
def test_a_parent_allows_holds_and_narrows_for_their_child(desk: Page, sandbox: Sandbox) -> None:
    parent = next(user for user in sandbox["users"] if user["kind"] == "representative")
    app_walk.connect(desk, sandbox, parent["username"])
    expect(desk.locator("main")).to_contain_text("You decide as their representative.")
    token = app_walk.allow(desk, sandbox)
    assert token.answer["patient"] in parent["acts_for"]
    assert len(token.all("ImagingStudy")) >= 1
    desk.goto(sandbox["app"]["apps"])
    expect(desk.locator("main")).to_contain_text("by a representative (you)")
    desk.get_by_role("button", name="Pause").click()
    expect(desk.get_by_text("The app sees nothing until you let it go on.")).to_be_visible()
    token.fhir("ImagingStudy", 403)
    desk.get_by_role("button", name="Let it go on").click()
    assert token.fhir("ImagingStudy")["total"] >= 1
    desk.get_by_text("Change what it may see").click()
    tick(desk, "reports", "no")
    desk.get_by_role("button", name="Allow only this").click()
    expect(desk.locator("main")).to_contain_text("Without the reports.")
    token.fhir("DiagnosticReport", 403)
    assert token.fhir("ImagingStudy")["total"] >= 1
    desk.get_by_role("button", name="End access").click()
    expect(desk.locator(".history")).to_contain_text("Ended by a representative")
    assert token.get(f"{sandbox['app']['fhir']}/ImagingStudy").status_code == 401


@pytest.mark.promise("B3")
def test_a_long_list_is_the_same_on_the_page_and_page_after_page(desk: Page, sandbox: Sandbox) -> None:
    """Henry was scanned every two weeks: what is told at once is what comes twenty by twenty, in FHIR and DICOMweb."""
    since = "2025-01-01"
    scans = {study.uid for study in studies_of("henry") if study.started >= since}
    app_walk.connect(desk, sandbox, "henry")
    desk.fill("#started_from", since)
    expect(desk.locator("#reach")).to_contain_text(f"{len(scans)} examinations today")
    expect(desk.locator("#reach li")).to_have_count(len(scans))
    assert serious_faults(desk) == []
    token = app_walk.allow(desk, sandbox)
    found = [entry["resource"] for entry in token.all("ImagingStudy?_sort=-started", 20)]
    assert [study["started"] for study in found] == sorted((study["started"] for study in found), reverse=True)
    uids = [study["identifier"][0]["value"].removeprefix("urn:oid:") for study in found]
    assert (len(uids), set(uids)) == (len(scans), scans)
    assert token.fhir("ImagingStudy?_summary=count")["total"] == len(scans)
    listed: list[str] = []
    while rows := token.qido(f"studies?limit=20&offset={len(listed)}"):
        listed += [row["0020000D"]["Value"][0] for row in rows]
    assert (len(listed), set(listed)) == (len(scans), scans)
    app_walk.end_access(desk, sandbox)


@pytest.mark.promise("B2")
def test_a_request_and_its_no_with_pictures_for_the_readme(page: Page, sandbox: Sandbox, pictures: Path | None) -> None:
    """What is reached and the two answers stay in sight, wherever one is on the page."""
    wide = (page.viewport_size or {"width": 0})["width"]
    folder = pictures or Path("var/pictures")
    folder.mkdir(parents=True, exist_ok=True)
    app_walk.connect(page, sandbox, "ana")
    narrow(page, scripted=True)
    page.locator("#future" if wide > 500 else "#images").evaluate("element => element.scrollIntoView()")
    assert page.screenshot(path=folder / f"approval-{wide}.png")
    for place in ("#studies", "#narrow", "#purpose-and-end"):
        page.locator(place).scroll_into_view_if_needed()
        expect(page.get_by_role("button", name="Allow")).to_be_in_viewport(ratio=1)
        expect(page.get_by_role("button", name="Refuse")).to_be_in_viewport(ratio=1)
    assert serious_faults(page) == []
    page.get_by_role("button", name="Refuse").click()
    expect(page.locator("#status")).to_have_text("400")
    expect(page.locator("#said")).to_have_text("access_denied")
    page.goto(sandbox["app"]["apps"])
    expect(page.get_by_text("No app has access to this record.")).to_be_visible()
