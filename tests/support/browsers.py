"""Debian's Chromium, driven by Playwright. One driver serves the whole run: it allows no second one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.support.parts import require

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Chromium as root, and without calls to its maker."""


def launch(playwright: Playwright, *flags: str) -> Browser:
    """A browser of one's own, with more flags."""
    path = require("Chromium", shutil.which("chromium"))
    return playwright.chromium.launch(executable_path=path, args=[*QUIET, *flags])


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=30_000)  # milliseconds: a machine that is busy with other tests is no fault of a page's
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright)
    yield browser
    browser.close()
