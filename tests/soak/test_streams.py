"""Long runs over whole studies on real parts: memory stays flat, and no killed worker counts as finished."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator

import psutil
import pytest
import requests

from bench.client import drained
from bench.memory import growth
from bench.site import DICOM, Site, site
from smartapp.sandbox.pacs.orthanc.installation import find_orthanc
from tests.support.parts import require

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

WORKER_GROWTH = 64
"""MiB above idle, with four whole studies at once."""
HALF_HOUR = 1800


@pytest.fixture
def running() -> Iterator[Site]:
    """One for each test: they kill workers and move clocks."""
    require("Orthanc", find_orthanc())
    with site() as ready:
        yield ready


def unknown_outcomes(running: Site) -> int:
    """How many disclosures ended as "unknown, assume the whole extent"."""
    with sqlite3.connect(next((running.data / "app").glob("*.db"))) as database:
        row = database.execute("SELECT count(*) FROM disclosures WHERE outcome = 'unknown'").fetchone()
    return int(row[0])


@pytest.mark.promise("A4")
@pytest.mark.promise("E8")
@pytest.mark.parametrize("first", [True, False], ids=["from the PACS", "from the cache"])
def test_memory_stays_flat_while_four_whole_studies_stream(running: Site, *, first: bool) -> None:
    headers = running.headers(DICOM)
    assert drained(running.ours, headers) > 315_000_000
    if first:
        running.forget()
    assert growth(running, 4) < WORKER_GROWTH


@pytest.mark.promise("E1")
@pytest.mark.threat("F16")
def test_what_a_killed_worker_was_sending_counts_as_wholly_disclosed(running: Site) -> None:
    headers = running.headers(DICOM)
    before = unknown_outcomes(running)
    with requests.get(running.ours, headers=headers, stream=True, timeout=60) as answer:
        pieces = answer.iter_content(1 << 20)
        assert len(next(pieces)) > 0
        for worker in _children(running):
            os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(requests.RequestException):
            list(pieces)
    requests.post(f"{running.sandbox['faults']}/clock", json={"seconds": HALF_HOUR}, timeout=10).raise_for_status()
    _until(lambda: unknown_outcomes(running) > before, running)


def _children(running: Site) -> list[psutil.Process]:
    """The workers, not their master: those whose parent is one of them."""
    found = running.workers()
    ids = {process.pid for process in found}
    return [process for process in found if process.ppid() in ids]


def _until(seen: Callable[[], bool], running: Site) -> None:
    """Asks for a page between two looks, so that new workers have something to do; fails after two minutes."""
    deadline = time.monotonic() + 120
    while not seen():
        assert time.monotonic() < deadline, "it was not seen in time"
        with contextlib.suppress(requests.RequestException):
            requests.get(f"{running.sandbox['app']['base']}/healthz", timeout=5)
