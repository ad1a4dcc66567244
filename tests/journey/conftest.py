"""A browser, as wide as a desk's or a phone's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page


@pytest.fixture(params=[1440, 320], ids=["desktop", "phone"])
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    wide = request.param
    context = chromium.new_context(viewport={"width": wide, "height": 900 if wide > 500 else 640}, has_touch=wide < 500)
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    """Where the README's pictures go, when they are asked for."""
    folder = os.environ.get("SMARTAPP_PICTURES")
    return Path(folder) if folder else None
