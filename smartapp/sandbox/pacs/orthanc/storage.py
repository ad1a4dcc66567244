"""Orthanc's storage with the sample scans in it: filled once per machine, then linked into each start's own folder.

Sending 686 files takes a while; a filled storage is a SQLite index and files that Orthanc never rewrites, so that
hard links to them are as good as copies.
"""

import fcntl
import os
import secrets
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from smartapp.sandbox.pacs.orthanc.installation import Installation
from smartapp.sandbox.pacs.orthanc.server import Orthanc, start_orthanc
from smartapp.sandbox.ports import choose_ports
from smartapp.sandbox.processes import StartError, end

_SENDERS = 4


def filled_storage(installation: Installation, scans: Path, hospital: str, into: Path) -> Path:
    """A storage in `into` that holds the hospital's scans; `scans` is the folder that `scans.cache.scans` gave.

    Raises StartError if Orthanc does not take every file.
    """
    cache = scans.parent / f"orthanc-{scans.name}-{installation.version()}"
    cache.mkdir(exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (cache / hospital).is_dir():
            _fill(installation, scans / hospital, cache / hospital)
    shutil.copytree(cache / hospital, into, copy_function=_link)
    return into


def _link(source: str, target: str) -> str:
    """A hard link for what never changes, a copy for the index (and where the file system cannot link)."""
    if not Path(source).name.startswith("index"):
        try:
            os.link(source, target)
        except OSError:
            pass
        else:
            return target
    return shutil.copyfile(source, target)


def _fill(installation: Installation, files: Path, done: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="filling-", dir=done.parent) as work:
        storage = Path(work, "storage")
        storage.mkdir()
        port = choose_ports(None, 1).pacs[0]
        orthanc = Orthanc(f"filling {secrets.token_hex(4)}", port, "filler", secrets.token_urlsafe(16))
        child = start_orthanc(installation, orthanc, storage, Path(work, "server"))
        try:
            _send(orthanc, sorted(files.rglob("*.dcm")))
        finally:
            end([child])
        storage.rename(done)


def _send(orthanc: Orthanc, files: list[Path]) -> None:
    def send(path: Path) -> None:
        answer = requests.post(f"{orthanc.base}/instances", data=path.read_bytes(), auth=orthanc.auth, timeout=60)
        answer.raise_for_status()

    with ThreadPoolExecutor(_SENDERS) as senders:
        list(senders.map(send, files))
    if (held := orthanc.count_instances()) != len(files):
        raise StartError(f"Orthanc holds {held} of {len(files)} instances")
