"""Everything that a viewer may meet, on the real product: films, documents, two studies side by side, a long list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journey.walk import press_my_imaging, serious_faults, sign_in_at_portal, viewer_ready
from tests.support.sandboxes import Sandbox, running

WATCH = """canvas => {
  globalThis.seen = [];
  new MutationObserver(() => seen.push(canvas.dataset.slice)).observe(canvas, { attributeFilter: ["data-slice"] });
}"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running() as ready:
        yield ready


def arrive(page: Page, sandbox: dict[str, Any], username: str) -> None:
    sign_in_at_portal(page, sandbox, username)
    press_my_imaging(page, sandbox)


def open_described(page: Page, description: str) -> None:
    """Opens the study whose line in the list says this."""
    page.locator(".study", has_text=description).first.get_by_role("link").first.click()
    viewer_ready(page)


@pytest.mark.promise("A3")
@pytest.mark.parametrize(
    ("description", "frames"), [("Ultrasound of the heart", 12), ("Ultrasound of the thyroid", 20)]
)
def test_an_ultrasound_plays_as_a_film(page: Page, sandbox: Sandbox, description: str, frames: int) -> None:
    arrive(page, sandbox, "grace")
    open_described(page, description)
    expect(page.locator("#viewer-position")).to_have_text(f"Picture 1 of {frames}")
    page.locator("#viewer-canvas").evaluate(WATCH)
    page.click("[data-action=play]")
    page.wait_for_function("last => seen.includes(last) && seen.indexOf('1', seen.indexOf(last)) > 0", arg=str(frames))
    page.click("[data-action=play]")
    expect(page.locator("#viewer-canvas")).to_have_attribute("data-playing", "false")


@pytest.mark.promise("A3")
@pytest.mark.clause("PS3.5", "10")
def test_pictures_in_every_transfer_syntax_are_seen(chromium: Browser, sandbox: Sandbox) -> None:
    context = chromium.new_context()
    page = context.new_page()
    arrive(page, sandbox, "grace")
    home = page.url
    links = page.locator(".study a").evaluate_all("links => links.map(link => link.href)")
    assert len(links) == 12
    for link in links:
        page.goto(link)
        for series in page.locator("[data-series-link]").all():
            series.click()
            uid = series.get_attribute("data-series-link") or ""
            viewer_ready(page, series=uid)
            greys = page.locator("#viewer-canvas").evaluate(
                "c => new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size"
            )
            assert greys > 8, f"a blank picture at {link.removeprefix(home)}"
    context.close()


@pytest.mark.promise("A2")
@pytest.mark.clause("PS3.3", "C.17.3")
def test_a_structured_report_is_read_and_a_pdf_downloaded(page: Page, sandbox: Sandbox) -> None:
    arrive(page, sandbox, "grace")
    open_described(page, "CT chest, follow-up")
    study = page.url
    page.get_by_role("link", name="Measurements").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Imaging Measurement Report")
    expect(page.locator(".conclusion")).to_contain_text("A nodule of 5 mm, unchanged.")
    expect(page.locator("article")).to_contain_text("Diameter: 5.0 mm")
    assert serious_faults(page) == []
    page.goto(study)
    page.get_by_role("link", name="Report as PDF").click()
    with page.expect_download() as coming:
        page.get_by_role("link", name="Document 1").click()
    assert coming.value.suggested_filename == "2026-06-09-document.pdf"
    assert coming.value.path().read_bytes().startswith(b"%PDF-")


@pytest.mark.promise("A3")
def test_two_studies_are_compared_and_scroll_together(page: Page, sandbox: Sandbox) -> None:
    arrive(page, sandbox, "grace")
    open_described(page, "CT chest, follow-up")
    page.get_by_role("link", name="Compare").click()
    expect(page.locator(".study h2").first).to_contain_text("chest")
    page.locator(".study", has_text="CT chest without contrast").get_by_role("link").click()
    viewer_ready(page)
    page.wait_for_selector("#viewer-2-canvas[data-state=ready]")
    page.fill("#viewer-slider", "6")
    page.wait_for_selector("#viewer-2-canvas[data-slice='3']")
    page.fill("#viewer-2-slider", "1")
    viewer_ready(page, slice=1)
    assert serious_faults(page) == []


@pytest.mark.promise("A2")
def test_one_of_five_hundred_studies_is_found(page: Page, sandbox: Sandbox) -> None:
    arrive(page, sandbox, "henry")
    expect(page.locator(".found")).to_contain_text("500 examinations")
    expect(page.locator(".study")).to_have_count(50)
    page.get_by_role("link", name="Older").first.click()
    expect(page.get_by_text("51 to 100 of 500").first).to_be_visible()
    page.select_option("[name=year]", "2025")
    page.fill("[name=words]", "chest")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("h2.year")).to_have_text(["2025"])
    expect(page.locator(".found")).to_contain_text("of 500 examinations")
    assert "chest" not in page.url
    assert serious_faults(page) == []
    page.locator(".study a").first.click()
    viewer_ready(page)
    page.go_back()
    expect(page.locator("[name=words]")).to_have_value("chest")
