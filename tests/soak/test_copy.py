"""A copy of the heavy study, 315 MB, from a real archive through a real worker: memory stays flat."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.copy import growth, taken
from bench.site import Site, site
from smartapp.sandbox.pacs.orthanc.installation import find_orthanc
from tests.support.parts import require

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

WORKER_GROWTH = 64
"""MiB above idle; most of it is the PDF's library and the study's metadata, not pictures."""


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    require("Orthanc", find_orthanc())
    with site() as ready:
        yield ready


@pytest.mark.promise("A4")
@pytest.mark.parametrize("first", [True, False], ids=["from the PACS", "from the cache"])
@pytest.mark.parametrize("passphrase", ["", "four words are fine"], ids=["plain", "encrypted"])
def test_memory_stays_flat_while_a_copy_is_taken(running: Site, passphrase: str, *, first: bool) -> None:
    assert taken(running) > 315_000_000
    if first:
        running.forget()
    assert growth(running, passphrase) < WORKER_GROWTH
