from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright

from smartapp.sandbox.ohif import find_ohif
from tests.ohif.site import Side, our_side, unpacked
from tests.ohif.watch import FLAGS
from tests.records.conftest import archive, desk, ehr, pool
from tests.records.desk import Desk
from tests.support.browsers import launch
from tests.support.parts import require

__all__ = ["archive", "desk", "ehr", "pool"]


@pytest.fixture
def side(desk: Desk) -> Side:
    return our_side(desk)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return unpacked(tmp_path / "dist")


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    require("OHIF (make ohif)", find_ohif())
    browser = launch(playwright, *FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(60_000)
    yield context
    context.close()
