"""The same journey with a FHIR server of somebody else's behind the EHR's sign-in, and the embedded PACS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journey.walk import open_study, press_my_imaging, sign_in_at_portal, viewer_ready
from tests.support.sandboxes import running
from tests.support.sekmet import running_sekmet


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with running_sekmet(tmp_path_factory.mktemp("sekmet")) as store, running("--fhir-store", store) as ready:
        yield ready


@pytest.mark.promise("A1")
@pytest.mark.promise("A2")
@pytest.mark.promise("A3")
def test_list_report_pictures_and_sign_out(page: Page, sandbox: dict[str, Any]) -> None:
    sign_in_at_portal(page, sandbox, "ana")
    press_my_imaging(page, sandbox)
    expect(page.locator("main .study")).to_have_count(5)
    expect(page.locator("main")).to_contain_text("Preliminary report")
    open_study(page, "CT scan: chest")
    expect(page.get_by_text("A single 5 mm nodule in the right upper lobe").first).to_be_visible()
    viewer_ready(page)
    page.focus("#viewer-canvas")
    page.keyboard.press("End")
    viewer_ready(page, slice=200)
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("signed out")


@pytest.mark.promise("A2")
def test_another_patient_of_the_store_has_a_record_of_his_own(page: Page, sandbox: dict[str, Any]) -> None:
    sign_in_at_portal(page, sandbox, "ben")
    press_my_imaging(page, sandbox)
    expect(page.locator("main .study")).to_have_count(1)
    expect(page.locator("body")).to_contain_text("Record of Ben Okafor")
    expect(page.locator("body")).not_to_contain_text("Rivera")
