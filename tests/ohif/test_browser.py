"""The real OHIF, in a real browser, before the real product."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import BrowserContext, Page, expect

from smartapp.sandbox.ohif import find_ohif
from tests.journey.walk import open_study, press_my_imaging, sign_in_at_portal
from tests.ohif.watch import Watch, logs, open_in_ohif, wait_for_picture
from tests.support.parts import require
from tests.support.sandboxes import running

pytestmark = pytest.mark.promise("A3")

CHEST = "CT scan: chest"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[dict[str, Any]]:
    require("OHIF (make ohif)", find_ohif())
    with running() as ready:
        yield ready


@pytest.fixture
def watch(context: BrowserContext) -> Watch:
    watch = Watch()
    watch.follow(context)
    return watch


def study_of(context: BrowserContext, sandbox: dict[str, Any], user: str, title: str) -> Page:
    page = context.new_page()
    sign_in_at_portal(page, sandbox, user)
    press_my_imaging(page, sandbox)
    open_study(page, title)
    return page


def test_the_chest_is_shown_with_all_series_and_no_token_is_seen_anywhere(
    context: BrowserContext, sandbox: dict[str, Any], watch: Watch
) -> None:
    assert sandbox["ohif"]["base"] != sandbox["app"]["base"]
    ohif = open_in_ohif(study_of(context, sandbox, "ana", CHEST))
    wait_for_picture(ohif)
    for name in ("Chest soft tissue 1.5 mm", "Chest lung 1.5 mm", "Chest bone 1.5 mm"):
        expect(ohif.locator("[data-cy^=study-browser]").get_by_text(name).first).to_be_visible()
    for prior in ("CT head without contrast", "MR brain"):
        expect(ohif.get_by_text(prior).first).to_be_visible()
    folder = Path("var/pictures")
    folder.mkdir(parents=True, exist_ok=True)
    ohif.screenshot(path=folder / "ohif.png")

    assert watch.complaints == []
    assert len(watch.secrets) == 2
    kept = ohif.evaluate(
        "() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])"
    )
    written = logs(sandbox)
    for secret in watch.secrets:
        assert [address for address in watch.addresses + watch.referers if secret in address] == []
        assert secret not in kept
        assert secret not in written
    known = (
        sandbox["app"]["base"],
        sandbox["ohif"]["base"],
        sandbox["ehr"]["iss"].partition("/st-")[0],
        "blob:",
        "data:",
    )
    assert [address for address in watch.addresses if not address.startswith(known)] == []


def test_the_code_of_a_study_that_was_opened_opens_nothing_again(
    context: BrowserContext, sandbox: dict[str, Any], watch: Watch
) -> None:
    ohif = open_in_ohif(study_of(context, sandbox, "ana", "X-ray: hand"))
    wait_for_picture(ohif)
    code = watch.secrets[0]
    address, headers = f"{sandbox['app']['base']}/ohif/token", {"Origin": sandbox["ohif"]["base"]}
    assert requests.post(address, json={"code": code}, headers=headers, timeout=10).status_code == 401
    again = context.new_page()
    again.goto(f"{sandbox['ohif']['base']}/open#code={code}")
    expect(again.get_by_role("heading", name="This view has ended")).to_be_visible()
    assert code not in again.url
    ohif.reload()
    expect(ohif.get_by_role("heading", name="This view has ended")).to_be_visible()
    assert ohif.locator("canvas").count() == 0


@pytest.mark.promise("E3")
def test_the_token_is_renewed_until_the_person_signs_out(
    context: BrowserContext, sandbox: dict[str, Any], watch: Watch
) -> None:
    page = study_of(context, sandbox, "ana", "X-ray: hand")
    context.clock.install()
    ohif = open_in_ohif(page)
    wait_for_picture(ohif)
    with ohif.expect_response("**/ohif/renew") as renewed:
        ohif.clock.fast_forward(250_000)
    assert renewed.value.status == 200
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("signed out")
    ohif.clock.fast_forward(250_000)
    expect(ohif.get_by_role("heading", name="This view has ended")).to_be_visible()
    assert ohif.locator("canvas").count() == 0


@pytest.mark.parametrize(
    ("title", "place", "series"),
    [("CT scan: head", 0, "Head 5 mm"), (CHEST, -1, "Chest 5 mm"), ("MRI scan: brain", 1, "T1 axial")],
    ids=["JPEG 2000", "JPEG-LS", "RLE"],
)
def test_compressed_pictures_are_shown_under_the_same_policy(
    context: BrowserContext, sandbox: dict[str, Any], watch: Watch, title: str, place: int, series: str
) -> None:
    page = context.new_page()
    sign_in_at_portal(page, sandbox, "grace")
    press_my_imaging(page, sandbox)
    page.get_by_role("link", name=title, exact=True).nth(place).click()
    ohif = open_in_ohif(page)
    wait_for_picture(ohif)
    expect(ohif.get_by_text(series).first).to_be_visible()
    assert watch.complaints == []


def test_a_pdf_in_the_study_is_opened(context: BrowserContext, sandbox: dict[str, Any], watch: Watch) -> None:
    ohif = open_in_ohif(study_of(context, sandbox, "grace", CHEST))
    wait_for_picture(ohif)
    for button in ("Skip all", "Confirm and hide"):
        ohif.get_by_text(button).click()
    ohif.get_by_text("Report as PDF").first.dblclick()
    ohif.wait_for_selector("object[type='application/pdf'][data^='blob:']", state="attached")
    assert watch.complaints == []
