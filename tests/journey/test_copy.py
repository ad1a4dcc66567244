"""A copy to keep: from the study's page to a ZIP on the disk, in Chromium."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.copies.judges import file_set, seven_zip, unzip
from tests.journey.walk import open_study, press_my_imaging, serious_faults, sign_in_at_portal
from tests.support.sandboxes import running

TITLE = "MRI scan: brain"
PASSPHRASE = "four words are fine"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[dict[str, Any]]:
    with running("--pacs", "embedded") as ready:
        yield ready


@pytest.fixture
def copy_page(page: Page, sandbox: dict[str, Any]) -> Page:
    """Ana, on the page of a copy of one study."""
    sign_in_at_portal(page, sandbox, "ana")
    press_my_imaging(page, sandbox)
    open_study(page, TITLE)
    page.get_by_role("link", name="Keep a copy").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Keep a copy")
    return page


def press(page: Page, folder: Path) -> Path:
    """Presses the button; where the browser saved what came."""
    with page.expect_download(timeout=120_000) as download:
        page.get_by_role("button", name="Download the copy").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


@pytest.mark.promise("A4")
@pytest.mark.promise("E4")
def test_one_press_and_the_copy_is_there(copy_page: Page, tmp_path: Path) -> None:
    said: list[str] = []
    copy_page.on("console", lambda message: said.append(message.text))
    copy_page.reload()
    assert said == []
    assert serious_faults(copy_page) == []
    assert copy_page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    expect(copy_page.get_by_text("DICOM files, at most about")).to_be_visible()
    path = press(copy_page, tmp_path)
    assert path.name.startswith("imaging-")
    assert path.name.endswith("-MR_BRAIN.zip")
    assert unzip(path).returncode == 0
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "out")
    listed = json.loads((tmp_path / "out" / "manifest.json").read_text())
    for each in listed["files"]:
        assert hashlib.sha256((tmp_path / "out" / each["path"]).read_bytes()).hexdigest() == each["sha256"]
    with file_set(tmp_path / "out") as files:
        assert len(files) == sum(study["instances"] for study in listed["studies"]) > 0
    expect(copy_page.get_by_role("button", name="Download the copy")).to_be_enabled()


WATCH = """() => {
  const box = document.getElementById("copying");
  const [text, bar] = [box.querySelector("[aria-live]"), box.querySelector("progress")];
  window.told = [];
  const note = () => window.told.push([box.hidden, text.textContent, bar.hidden ? null : bar.value, text.ariaLive]);
  new MutationObserver(note).observe(box, {subtree: true, childList: true, characterData: true, attributes: true});
}"""
"""Notes what the page says of the copy: whether it is seen, its sentence, its bar, and whether it is read aloud."""


@pytest.fixture
def slow_archive(sandbox: dict[str, Any]) -> Iterator[None]:
    """Each series takes some seconds to begin."""
    address = f"{sandbox['faults']}/pacs"
    asked = {"fault": "slow", "seconds": 5, "match": "*/series/"}
    requests.put(address, json=asked, timeout=10).raise_for_status()
    yield
    requests.delete(address, timeout=10).raise_for_status()


def wide(page: Page) -> bool:
    """Whether this is not the phone: each fetches pictures that the other has not brought into the cache."""
    return page.viewport_size is not None and page.viewport_size["width"] > 500


@pytest.mark.promise("A4")
@pytest.mark.usefixtures("slow_archive")
def test_the_page_says_how_far_a_copy_is(page: Page, sandbox: dict[str, Any], tmp_path: Path) -> None:
    """Somebody whose pictures nobody has looked at yet, so that they come from the archive."""
    sign_in_at_portal(page, sandbox, "grace")
    press_my_imaging(page, sandbox)
    title, pictures = ("CT scan + PET scan: chest", 12) if wide(page) else ("CT scan: abdomen", 8)
    page.get_by_role("link", name=title).first.click()
    page.get_by_role("link", name="Keep a copy").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Keep a copy")
    page.evaluate(WATCH)
    press(page, tmp_path)
    expect(page.locator("#copying [aria-live]")).to_contain_text("The copy was sent to its end")
    expect(page.locator("#copying progress")).to_have_js_property("value", 100)
    told = page.evaluate("window.told")
    half = [
        bar for hidden, text, bar, loud in told if not hidden and f"of {pictures} pictures" in text and loud == "off"
    ]
    assert half
    assert all(bar is not None and bar < 100 for bar in half)
    assert told[-1][3] == "polite"
    page.reload()
    expect(page.get_by_text("The copy was sent to its end")).to_be_visible()


def forget_pictures(sandbox: dict[str, Any]) -> None:
    """What other tests fetched: else the archive is not asked, and nothing breaks."""
    for path in (Path(sandbox["data"]) / "app" / "cache").rglob("*"):
        if path.is_file():
            path.unlink()


@pytest.mark.promise("A4")
@pytest.mark.promise("E8")
def test_a_broken_download_says_so_and_can_start_again(
    copy_page: Page, sandbox: dict[str, Any], tmp_path: Path
) -> None:
    address = f"{sandbox['faults']}/pacs"
    home = copy_page.url.split("/studies/")[0]
    copy_page.goto(f"{home}/")
    open_study(copy_page, "CT scan: head" if wide(copy_page) else "X-ray: hand")
    copy_page.get_by_role("link", name="Keep a copy").click()
    forget_pictures(sandbox)
    cut = {"fault": "no-closing-boundary", "match": "*/series/"}
    requests.put(address, json=cut, timeout=10).raise_for_status()
    try:
        with copy_page.expect_download(timeout=120_000) as download:
            copy_page.get_by_role("button", name="Download the copy").click()
        assert download.value.failure() is not None
        expect(copy_page.locator("#copying [aria-live]")).to_contain_text("The download broke off")
    finally:
        requests.delete(address, timeout=10).raise_for_status()
    path = press(copy_page, tmp_path)
    assert unzip(path).returncode == 0
    expect(copy_page.locator("#copying [aria-live]")).to_contain_text("The copy was sent to its end")


@pytest.mark.promise("A4")
def test_a_short_passphrase_is_refused_in_words_and_a_good_one_locks(copy_page: Page, tmp_path: Path) -> None:
    copy_page.get_by_text("Protect it with a passphrase").click()
    copy_page.get_by_label("Passphrase", exact=True).fill("short")
    copy_page.get_by_label("The same once more").fill("short")
    copy_page.get_by_role("button", name="Download the copy").click()
    expect(copy_page.get_by_role("alert")).to_contain_text("Nothing was downloaded.")
    expect(copy_page.get_by_text("Use at least 12 characters.")).to_be_visible()
    assert serious_faults(copy_page) == []
    copy_page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    copy_page.get_by_label("The same once more").fill(PASSPHRASE)
    path = press(copy_page, tmp_path)
    assert seven_zip(path, PASSPHRASE).returncode == 0
    assert seven_zip(path, "four words are bad").returncode != 0
    assert PASSPHRASE not in copy_page.url
