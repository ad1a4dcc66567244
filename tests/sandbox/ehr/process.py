"""The EHR as a real process on a free port."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.sandbox.ehr.keys import JWKS

REDIRECT = "http://127.0.0.1:9/callback"
LAUNCH = "http://127.0.0.1:9/launch"
EVERYTHING = "openid fhirUser launch launch/patient offline_access online_access patient/*.cruds user/*.rs"
PACS = "http://127.0.0.1:9/dicomweb"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def client(client_id: str, kind: str, **more: Any) -> dict[str, Any]:
    defaults = {"name": client_id.title(), "scope": EVERYTHING, "redirect_uris": [REDIRECT]}
    return {"client_id": client_id, "kind": kind, **defaults, **more}


def clients() -> list[dict[str, Any]]:
    return [
        client("imaging", "asymmetric", jwks=JWKS, launch_url=LAUNCH, trusted=True),
        client("other", "public", launch_url=LAUNCH, launch_label="Open other"),
        client("secretive", "confidential", client_secret="a secret: with % and +"),
        client("narrow", "public", scope="openid patient/ImagingStudy.rs patient/Patient.r"),
        client("nightly", "backend", jwks=JWKS, scope="system/ImagingStudy.rs system/Patient.rs", redirect_uris=[]),
        client("pacs", "confidential", client_secret="pacs", scope="", redirect_uris=[], introspection=True),
    ]


def configuration(port: int, hospital: str = "mercy", **more: Any) -> dict[str, Any]:
    """Both hospitals with all test clients; `more` is said of one of them."""
    plain: dict[str, Any] = {"dicomweb": PACS, "clients": clients()}
    hospitals = {"st-elsewhere": plain, "mercy": plain}
    hospitals[hospital] = {**plain, **more}
    return {"base_url": f"http://localhost:{port}", "hospitals": hospitals}


@contextmanager
def running(folder: Path, hospital: str = "mercy", **more: Any) -> Iterator[str]:
    """The base URL of a process that lives as long as the block."""
    port = free_port()
    path = folder / f"ehr-{port}.json"
    path.write_text(json.dumps(configuration(port, hospital, **more)))
    command = [sys.executable, "-m", "smartapp.sandbox.ehr", "--port", str(port), "--config", str(path)]
    process = subprocess.Popen(command)
    try:
        wait_for(f"http://localhost:{port}/healthz", process)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(10)


def wait_for(url: str, process: subprocess.Popen[Any], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, "the process ended before it answered"
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise AssertionError(f"{url} did not answer")
