"""The form of a permission in a browser with its script: what it reaches is shown while it is filled in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from tests.portal import app_fakes, fakes
from tests.portal.browsers import Opener, opener
from tests.portal.conftest import Portal

__all__ = ["opener"]

PAGE = f"/st-elsewhere/oauth/approve/{app_fakes.HANDLE}"


@pytest.mark.promise("B2")
def test_the_list_follows_what_is_ticked(opener: Opener) -> None:
    page = opener(PAGE)
    reach = page.locator("#reach")
    expect(reach).to_contain_text("4 examinations today")
    page.locator('input[name="modality"][value="CT"]').check()
    expect(reach).to_contain_text("3 examinations today")
    page.locator(f'input[name="study"][value="{fakes.CT}"]').check()
    expect(page.locator('input[name="studies"][value="chosen"]')).to_be_checked()
    expect(reach).to_contain_text("1 examination today")
    expect(reach).to_contain_text("Examinations that come later stay out.")
    page.locator('input[name="images"][value="deidentified"]').check()
    expect(reach).to_contain_text("0 reports")
    page.locator('input[name="studies"][value="all"]').check()
    expect(page.locator(f'input[name="study"][value="{fakes.CT}"]')).not_to_be_checked()
    expect(reach).to_contain_text("3 examinations today")
    page.get_by_role("button", name="In 90 days").click()
    expect(page.locator('input[name="expires"]')).to_have_value("2026-05-31")
    expect(page.get_by_role("button", name="Show what this reaches")).to_have_count(0)


def test_hostile_words_in_the_list_stay_words(live_portal: Portal, opener: Opener) -> None:
    words = "<img src=x onerror=\"document.title='run'\">"
    live_portal.records.studies_found = tuple(
        replace(study, description=words) for study in live_portal.records.studies_found
    )
    page = opener(PAGE)
    page.locator('input[name="modality"][value="CT"]').check()
    expect(page.locator("#reach")).to_contain_text("3 examinations today")
    expect(page.locator("#reach img")).to_have_count(0)
    assert page.title() != "run"


@pytest.mark.promise("B2")
def test_the_keyboard_alone_and_no_script_are_enough(opener: Opener) -> None:
    page = opener(PAGE, java_script_enabled=False)
    page.locator('input[name="modality"][value="CT"]').check()
    page.locator('input[name="started_from"]').press("Enter")
    expect(page.locator("#reach")).to_contain_text("3 examinations today")
    expect(page.locator('input[name="modality"][value="CT"]')).to_be_checked()
    page.get_by_role("button", name="In 30 days").click()
    expect(page.locator('input[name="expires"]')).to_have_value("2026-04-01")
