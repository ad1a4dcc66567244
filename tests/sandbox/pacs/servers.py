"""Both kinds of PACS as real processes on free ports, each with the scans of one hospital."""

import json
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from smartapp.sandbox.pacs.orthanc.installation import Installation
from smartapp.sandbox.pacs.orthanc.server import Orthanc, start_orthanc
from smartapp.sandbox.pacs.orthanc.storage import filled_storage
from smartapp.sandbox.ports import choose_ports
from smartapp.sandbox.processes import end, start, wait_until

HOSPITAL = "st-elsewhere"


@dataclass(frozen=True)
class Pacs:
    """A running PACS: its DICOMweb root and the account that may read."""

    kind: str
    dicomweb: str
    auth: tuple[str, str]

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(f"{self.dicomweb}{path}", auth=self.auth, headers=headers, timeout=60)


@contextmanager
def embedded(scans: Path, folder: Path) -> Iterator[Pacs]:
    auth = ("reader", secrets.token_urlsafe(8))
    config = folder / "pacs.json"
    archive = {"folder": str(scans / HOSPITAL), "user": auth[0], "password": auth[1]}
    config.write_text(json.dumps({"hospitals": {HOSPITAL: archive}}))
    port = choose_ports(None, 1).pacs[0]
    pacs = Pacs("embedded", f"http://127.0.0.1:{port}/{HOSPITAL}/dicom-web", auth)
    command = [sys.executable, "-m", "smartapp.sandbox.pacs", "--port", str(port), "--config", str(config)]
    child = start("PACS", command, folder / "pacs.log")
    try:
        wait_until(lambda: pacs.get("/studies?limit=1").ok, [child], "PACS")
        yield pacs
    finally:
        end([child])


@contextmanager
def orthanc(installation: Installation, scans: Path, folder: Path) -> Iterator[Pacs]:
    storage = filled_storage(installation, scans, HOSPITAL, folder / "storage")
    server = Orthanc(f"test {secrets.token_hex(4)}", choose_ports(None, 1).pacs[0], "reader", secrets.token_urlsafe(8))
    child = start_orthanc(installation, server, storage, folder / "server")
    try:
        yield Pacs("orthanc", server.dicomweb, server.auth)
    finally:
        end([child])
