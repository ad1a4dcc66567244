"""The copy to keep, against the archive that Orthanc makes of the same study."""

from __future__ import annotations

import contextlib
import re
import threading
from urllib.parse import urlsplit

import psutil
import requests

from bench.client import drained
from bench.measure import Row, compare
from bench.site import PIECE, Site

MEGABYTE = 1_000_000


def copy_row(site: Site) -> Row:
    """A ZIP of the heavy study, from the button to its last byte, warm: ours has its checks, hashes and directory."""
    archive = _archive(site)
    return compare(
        "P6 copy of a study as ZIP, again",
        "MB/s",
        lambda: taken(site) // MEGABYTE,
        lambda: drained(archive, {}, site.pacs_auth) // MEGABYTE,
        rounds=2,
    )


def taken(site: Site, passphrase: str = "") -> int:
    """Presses the button and reads the ZIP to its end; bytes."""
    page = site.visitor.http.get(f"{site.study_page}/keep").text
    token = re.search(r'csrf_token" value="([^"]+)"', page)
    assert token
    form = {"csrf_token": token[1], "passphrase": passphrase, "again": passphrase}
    with site.visitor.http.post(f"{site.study_page}/copy", data=form, stream=True, timeout=120) as answer:
        answer.raise_for_status()
        return sum(map(len, answer.iter_content(PIECE)))


def _archive(site: Site) -> str:
    """Orthanc's own address of the study's archive (its REST API, found by Study Instance UID)."""
    parts = urlsplit(site.sandbox["pacs"]["dicomweb"])
    root = f"{parts.scheme}://{parts.netloc}"
    query = {"Level": "Study", "Query": {"StudyInstanceUID": site.study}}
    found = requests.post(f"{root}/tools/find", json=query, auth=site.pacs_auth, timeout=60)
    found.raise_for_status()
    return f"{root}/studies/{found.json()[0]}/archive"


def growth(site: Site, passphrase: str = "") -> float:
    """The largest growth of a worker above its idle size, in MiB, while one copy is taken."""
    before = {process.pid: process.memory_info().rss for process in site.workers()}
    over, peak = threading.Event(), dict(before)

    def watch() -> None:
        while not over.wait(0.05):
            for pid in before:
                with contextlib.suppress(psutil.Error):
                    peak[pid] = max(peak[pid], int(psutil.Process(pid).memory_info().rss))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        taken(site, passphrase)
    finally:
        over.set()
        watcher.join()
    return max(peak[pid] - before[pid] for pid in before) / 2**20
