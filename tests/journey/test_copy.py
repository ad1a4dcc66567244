"""A copy to keep: from the study's page to a ZIP on the disk, in Chromium."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.copies.judges import file_set, seven_zip, unzip
from tests.journey.conftest import running
from tests.journey.walk import open_study, press_my_imaging, serious_faults, sign_in_at_portal

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
