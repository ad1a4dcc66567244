"""That a worker's memory stays flat, whatever streams through it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import psutil

from bench.client import drained
from bench.site import DICOM, Site


def growth(site: Site, parallel: int) -> float:
    """The largest growth of a worker above its idle size, in MiB, while `parallel` whole studies stream at once."""
    headers = site.headers(DICOM)
    before = {process.pid: process.memory_info().rss for process in site.workers()}
    over, peak = threading.Event(), dict(before)

    def watch() -> None:
        while not over.wait(0.02):
            for process in site.workers():
                if process.pid in peak:
                    peak[process.pid] = max(peak[process.pid], _rss(process))

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(parallel) as pool:
        list(pool.map(lambda _: drained(site.ours, headers), range(parallel)))
    over.set()
    watcher.join()
    return max(peak[pid] - before[pid] for pid in before) / 2**20


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
