"""Every page before axe-core, at the width of a phone and of a desk, light and dark."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, expect

from smartapp.identity.apps.model import AppState
from tests.portal import app_fakes, fakes
from tests.portal.conftest import Portal

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
PAGES = {
    "start": "/",
    "list": "/my/ctx-ana/",
    "study": f"/my/ctx-ana/studies/{fakes.CT}",
    "preliminary": f"/my/ctx-ana/studies/{fakes.HEAD}",
    "series": f"/my/ctx-ana/studies/{fakes.CT}/series/{fakes.SERIES}",
    "papers": f"/my/ctx-ana/studies/{fakes.CT}/series/{fakes.SCANNED}",
    "structured report": f"/my/ctx-ana/studies/{fakes.CT}/series/{fakes.DOSE}/instances/{fakes.DOSE}.1/report",
    "choose to compare": f"/my/ctx-ana/studies/{fakes.CT}/compare/",
    "compared": f"/my/ctx-ana/studies/{fakes.CT}/compare/{fakes.HEAD}",
    "found": "/my/ctx-ana/?kind=CT",
    "sessions": "/my/ctx-ana/sessions",
    "allow an app": f"/st-elsewhere/oauth/approve/{app_fakes.HANDLE}",
    "not you": f"/st-elsewhere/oauth/approve/{app_fakes.HANDLE}/left",
    "apps": "/my/ctx-ana/apps/",
    "an app's access": f"/my/ctx-ana/apps/{app_fakes.GRANT}/",
    "signed out": "/signed-out",
    "error": "/my/ctx-eli/",
}
SHAPES = {"phone": (320, "light"), "desk": (1440, "light"), "night": (1440, "dark")}
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def _page(portal: Portal, browser: Browser, shape: str, language: str = "en-US") -> Page:
    width, scheme = SHAPES[shape]
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        locale=language,
    )
    context.add_cookies([{"name": portal.cookie, "value": "ses-ana", "url": portal.base_url}])
    return context.new_page()


def _open_all(page: Page) -> None:
    """Waits for the viewers, and unfolds what is folded."""
    for canvas in page.locator("canvas").all():
        expect(canvas).to_have_attribute("data-state", "ready")
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")


def _findings(page: Page) -> list[tuple[str, str, Any]]:
    page.evaluate(AXE)
    options = {"runOnly": {"type": "tag", "values": LEVELS}}
    found = page.evaluate("options => axe.run(document, options)", options)
    return [(item["id"], item["impact"], [node["target"] for node in item["nodes"]]) for item in found["violations"]]


@pytest.mark.clause("WCAG 2.2", "AA")
@pytest.mark.parametrize("shape", SHAPES)
def test_axe_finds_nothing(live_portal: Portal, chromium: Browser, shape: str) -> None:
    page = _page(live_portal, chromium, shape)
    live_portal.records.problems, live_portal.records.unmatched = ("pacs-missing",), 1
    for name, path in PAGES.items():
        page.goto(live_portal.base_url + path)
        _open_all(page)
        assert _findings(page) == [], name
    page.context.close()


@pytest.mark.clause("WCAG 2.2", "1.4.10")
@pytest.mark.parametrize("language", ["en-US", "es-MX"])
def test_nothing_needs_sideways_scrolling_on_a_narrow_phone(
    live_portal: Portal, chromium: Browser, language: str
) -> None:
    page = _page(live_portal, chromium, "phone", language)
    for name, path in PAGES.items():
        page.goto(live_portal.base_url + path)
        _open_all(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
    page.context.close()


@pytest.mark.clause("WCAG 2.2", "1.4.10")
@pytest.mark.parametrize("state", [AppState.PENDING, AppState.SUSPENDED])
def test_what_the_hospital_says_of_an_app_breaks_into_lines(
    live_portal: Portal, chromium: Browser, state: AppState
) -> None:
    page = _page(live_portal, chromium, "phone", "es-MX")
    live_portal.apps.apps = (replace(app_fakes.sample_app(client_name="Seguimiento" * 6), state=state),)
    for name in ("allow an app", "apps", "an app's access"):
        page.goto(live_portal.base_url + PAGES[name])
        _open_all(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
    page.context.close()


@pytest.mark.clause("WCAG 2.2", "2.4.7")
def test_the_keyboard_alone_reaches_a_study_and_its_pictures(live_portal: Portal, chromium: Browser) -> None:
    page = _page(live_portal, chromium, "desk")
    page.goto(live_portal.base_url + "/my/ctx-ana/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".study h3 a").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#viewer-canvas")).to_have_attribute("data-state", "ready")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "viewer-canvas":
            break
    expect(page.locator("#viewer-canvas")).to_be_focused()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.context.close()
