"""A patient's four steps, in Chromium, on Orthanc and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from smartapp.sandbox.pacs.orthanc.installation import find_orthanc
from smartapp.sandbox.world import Study, build_world
from tests.journey import pixels
from tests.journey.walk import open_study, press_my_imaging, serious_faults, sign_in_at_portal, viewer_ready
from tests.support.databases import PostgresDatabases
from tests.support.parts import require
from tests.support.sandboxes import running

LUNG, BONE = (-600.0, 1500.0), (480.0, 2500.0)


def chest() -> Study:
    return build_world().hospitals[0].people[0].studies[0]


@pytest.fixture(scope="module")
def sandbox(postgres_databases: PostgresDatabases) -> Iterator[dict[str, Any]]:
    require("Orthanc", find_orthanc())
    with postgres_databases.empty() as url, running("--pacs", "orthanc", SMARTAPP_SANDBOX_DATABASE_URL=url) as ready:
        yield ready


@pytest.mark.clause("SMART 2.2", "35", "50", "161")
@pytest.mark.promise("A1")
@pytest.mark.promise("A2")
def test_the_list_is_one_press_from_the_portal(page: Page, sandbox: dict[str, Any]) -> None:
    sign_in_at_portal(page, sandbox, "ana")
    press_my_imaging(page, sandbox)
    expect(page.get_by_text("Record of Ana María Rivera")).to_be_visible()
    words = page.locator("main").inner_text()
    told = ["X-ray: knee", "CT scan: head", "CT scan: chest", "X-ray: hand", "MRI scan: brain"]
    assert [words.index(each) for each in told] == sorted(words.index(each) for each in told)
    states = ["No report yet", "Preliminary report", "Report ready", "Report ready, amended", "Report ready"]
    places = [words.index(state, words.index(title)) for title, state in zip(told, states, strict=True)]
    assert places == sorted(places)
    assert serious_faults(page) == []


@pytest.mark.clause("SMART 2.2", "50", "166")
@pytest.mark.promise("A1")
def test_the_start_page_leads_to_the_same_list(page: Page, sandbox: dict[str, Any]) -> None:
    page.goto(sandbox["app"]["base"])
    assert serious_faults(page) == []
    page.get_by_role("button", name="St. Elsewhere Health").click()
    page.fill("[name=username]", "ben")
    page.fill("[name=password]", "ben-sandbox")
    page.locator("form:has([name=username]) button").click()
    page.wait_for_url(f"{sandbox['app']['base']}/my/**")
    expect(page.get_by_text("Record of Ben Okafor")).to_be_visible()


@pytest.mark.promise("A2")
@pytest.mark.promise("A3")
def test_report_and_pictures_side_by_side(page: Page, sandbox: dict[str, Any]) -> None:
    sign_in_at_portal(page, sandbox, "ana")
    press_my_imaging(page, sandbox)
    open_study(page, "CT scan: chest")
    expect(page.get_by_text("A single 5 mm nodule in the right upper lobe").first).to_be_visible()
    viewer_ready(page)
    assert serious_faults(page) == []
    page.focus("#viewer-canvas")
    page.keyboard.press("Home")
    viewer_ready(page, slice=1)
    for _ in range(99):
        page.keyboard.press("ArrowDown")
    viewer_ready(page, slice=100)
    page.keyboard.press("End")
    viewer_ready(page, slice=200)


@pytest.mark.promise("A3")
@pytest.mark.parametrize("number", [60, 100])
def test_lung_and_bone_look_different_and_right(page: Page, sandbox: dict[str, Any], number: int) -> None:
    sign_in_at_portal(page, sandbox, "ana")
    press_my_imaging(page, sandbox)
    open_study(page, "CT scan: chest")
    viewer_ready(page)
    page.fill("#viewer-slider", str(number))
    path = pixels.slice_file(chest(), 0, number)
    page.click("[data-preset=lung]")
    viewer_ready(page, slice=number, window="-600,1500")
    lung = pixels.on_screen(page)
    page.click("[data-preset=bone]")
    viewer_ready(page, slice=number, window="480,2500")
    bone = pixels.on_screen(page)
    size = lung.shape[0]
    middle = slice(size // 4, size - size // 4)  # away from the words drawn over the corners
    right = {name: pixels.expected(path, window, size) for name, window in (("lung", LUNG), ("bone", BONE))}
    cut = {name: picture[middle, middle] for name, picture in right.items()}
    assert pixels.difference(lung[middle, middle], cut["lung"]) < 4
    assert pixels.difference(bone[middle, middle], cut["bone"]) < 4
    assert pixels.difference(lung[middle, middle], cut["bone"]) > 20


@pytest.mark.promise("A3")
def test_dragging_changes_brightness_and_buttons_zoom(page: Page, sandbox: dict[str, Any]) -> None:
    sign_in_at_portal(page, sandbox, "ana")
    press_my_imaging(page, sandbox)
    open_study(page, "CT scan: chest")
    viewer_ready(page)
    canvas = page.locator("#viewer-canvas")
    before = canvas.get_attribute("data-window")
    page.click("[data-mode=window]")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 80, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 110, steps=5)
    page.mouse.up()
    assert canvas.get_attribute("data-window") != before
    page.click("[data-action=zoom-in]")
    assert float(canvas.get_attribute("data-zoom") or 0) > 1


@pytest.mark.promise("A3")
def test_without_script_there_is_a_plain_page_of_pictures(chromium: Browser, sandbox: dict[str, Any]) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 320, "height": 640})
    page = context.new_page()
    sign_in_at_portal(page, sandbox, "ana")
    press_my_imaging(page, sandbox)
    open_study(page, "MRI scan: brain")
    page.get_by_role("link", name="T2 axial").click()
    first = page.locator("main img").first
    expect(first).to_be_visible()
    response = page.request.get(page.url.rsplit("/my/", 1)[0] + (first.get_attribute("src") or ""))
    assert response.headers["content-type"] == "image/jpeg"
    assert response.body().startswith(b"\xff\xd8")
    context.close()


@pytest.mark.promise("E3")
def test_signing_out_ends_the_session_everywhere_it_was_known(page: Page, sandbox: dict[str, Any]) -> None:
    sign_in_at_portal(page, sandbox, "ana")
    press_my_imaging(page, sandbox)
    address, cookies = page.url, page.context.cookies()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("signed out")
    assert serious_faults(page) == []
    base = sandbox["app"]["base"]
    page.context.add_cookies([{"name": each["name"], "value": each["value"], "url": base} for each in cookies])
    assert page.goto(address).status == 401  # type: ignore[union-attr]  # a navigation to http has an answer


@pytest.mark.promise("A6")
def test_a_representative_sees_the_childs_record_and_that_it_is_not_hers(page: Page, sandbox: dict[str, Any]) -> None:
    sign_in_at_portal(page, sandbox, "dana")
    press_my_imaging(page, sandbox)
    expect(page.locator("body")).to_contain_text("Eli Novak")
    expect(page.locator("body")).to_contain_text("representative")
    open_study(page, "X-ray: hand")
    viewer_ready(page)


@pytest.mark.promise("A2")
def test_nobody_is_shown_an_empty_page_without_a_word(page: Page, sandbox: dict[str, Any]) -> None:
    sign_in_at_portal(page, sandbox, "chloe")
    press_my_imaging(page, sandbox)
    expect(page.locator("main h1")).to_have_text("Scans and reports")
    expect(page.locator("main")).to_contain_text("There are no scans in this record yet.")


def test_pictures_for_the_readme(page: Page, sandbox: dict[str, Any], pictures: Path | None) -> None:
    wide = (page.viewport_size or {"width": 0})["width"]
    folder = pictures or Path("var/pictures")
    folder.mkdir(parents=True, exist_ok=True)
    sign_in_at_portal(page, sandbox, "ana")
    press_my_imaging(page, sandbox)
    assert page.screenshot(path=folder / f"list-{wide}.png")
    open_study(page, "CT scan: chest")
    viewer_ready(page)
    page.click("[data-preset=lung]")
    viewer_ready(page, window="-600,1500")
    page.locator(".series").scroll_into_view_if_needed()
    page.wait_for_function("() => [...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    page.locator("#viewer").scroll_into_view_if_needed()
    assert page.screenshot(path=folder / f"study-{wide}.png", full_page=wide > 500)
