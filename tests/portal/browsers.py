"""A browser on the study's page, and its canvas once it shows what is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.portal import fakes
from tests.portal.conftest import Portal

STUDY = f"/my/ctx-ana/studies/{fakes.CT}"
Opener = Callable[..., Page]


@pytest.fixture
def opener(live_portal: Portal, chromium: Browser) -> Iterator[Opener]:
    """Opens the study's page in a new browser of the given shape, signed in."""
    contexts: list[BrowserContext] = []

    def open_page(path: str = STUDY, **shape: Any) -> Page:
        shape.setdefault("viewport", {"width": 1440, "height": 900})
        context = chromium.new_context(**shape)
        contexts.append(context)
        context.add_cookies([{"name": live_portal.cookie, "value": "ses-ana", "url": live_portal.base_url}])
        page = context.new_page()
        page.goto(live_portal.base_url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()


def canvas_of(page: Page, viewer: str = "viewer", **state: str) -> Locator:
    """The canvas, once it has these data attributes."""
    canvas = page.locator(f"#{viewer}-canvas")
    for name, value in ({"state": "ready"} | state).items():
        expect(canvas).to_have_attribute(f"data-{name}", value)
    return canvas
