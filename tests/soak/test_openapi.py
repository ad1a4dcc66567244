"""Schemathesis asks a running server for all that /openapi.json says, rightly and wrongly, with and without a token.

Nothing may be a fault of ours, and no answer may be one that the document does not name: its status, its media type,
its body.
"""

from __future__ import annotations

import json
import pickle
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests

from smartapp.sandbox.ports import choose_ports
from smartapp.sandbox.processes import end, start, wait_until
from smartapp.settings import Apps, Database, Server
from tests.fhir_facade.app import App, Clinic, clinic
from tests.support.databases import SqliteFiles
from tests.support.parts import require

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]

PROGRAM = Path(__file__).parents[2] / ".venv-schemathesis" / "bin" / "schemathesis"
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance,use_after_free,ensure_resource_availability,ignored_auth"
)
EXAMPLES = 40
"""For each operation."""
MANY = 10**9
THERE = {
    "provider": "st-elsewhere", "study": "1.2.3", "series": "1.2.3.1", "sop": "1.2.3.1.1", "numbers": "1",
    "tag": "7FE00010",
}  # fmt: skip


@dataclass
class Running:
    base: str
    clinic: Clinic
    app: App


@pytest.fixture(scope="module")
def running(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Limits are out of the way: 429 would hide what is behind it."""
    require("schemathesis (make .venv-schemathesis)", PROGRAM if PROGRAM.exists() else None)
    folder = tmp_path_factory.mktemp("openapi")
    apps = Apps(requests_per_minute=MANY, bytes_per_hour=MANY**2, failures_per_minute=MANY, registrations_per_hour=MANY)
    with clinic(sqlite_files, folder, apps=apps) as found:
        port = choose_ports(None, 1).app
        server = Server(f"http://127.0.0.1:{port}", port=port)
        told, settings = folder / "settings", found.composed.ground.settings
        patient = Database(
            settings.database.url
        )  # as in life: the tests' own wait is short, and a slow disk is no fault
        told.write_bytes(pickle.dumps(replace(settings, server=server, database=patient)))
        child = start("openapi", [sys.executable, "-m", "tests.soak.serve_app", str(told)], folder / "log")
        try:
            wait_until(lambda: _answers(port), [child], "openapi")
            yield Running(server.base_url, found, found.app())
        finally:
            end([child])


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def asked(running: Running, folder: Path, known: Mapping[str, str], *more: str) -> None:
    """A whole run without a failure. `known` are values of what stands in addresses; the rest is made up."""
    report, config = folder / "report.json", folder / "schemathesis.toml"
    lines = ["[generation]", f"max-examples = {EXAMPLES}", "deterministic = true", "[parameters]"]
    lines += [f'"path.{name}" = {json.dumps(value)}' for name, value in known.items()]
    config.write_text("\n".join([*lines, ""]))
    command = [
        str(PROGRAM), "--config-file", str(config), "run", f"{running.base}/openapi.json", "--checks", CHECKS,
        "--phases", "examples,coverage,fuzzing", "--workers", "2", "--continue-on-failure", "--report", "json",
        "--report-json-path", str(report), "--request-timeout", "60", "--warnings", "off", *more,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=3000, check=False)
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-2000:]
    print(done.stdout[-1500:])  # noqa: T201 - the numbers, for whoever reads a soak's log


@pytest.mark.promise("B6")
@pytest.mark.threat("P14")
@pytest.mark.parametrize("token", [True, False], ids=["with a token", "without"])
def test_every_answer_is_one_that_the_document_names(running: Running, tmp_path: Path, *, token: bool) -> None:
    more = ("--header", f"Authorization: Bearer {running.app.token}") if token else ()
    asked(running, tmp_path, {}, *more)


@pytest.mark.promise("B6")
@pytest.mark.threat("P14")
def test_what_is_there_is_given_as_the_document_says(running: Running, tmp_path: Path) -> None:
    """By the addresses of what the token reaches, so that not all is refused; and it counts to the end."""
    token = f"Bearer {running.app.token}"
    within = ("--include-path-regex", "dicomweb|fhir|userinfo", "--include-method", "GET")
    asked(running, tmp_path, THERE, "--header", f"Authorization: {token}", *within)
    address = f"{running.base}/st-elsewhere/fhir/Patient/ana"
    assert requests.get(address, headers={"Authorization": token}, timeout=30).status_code == 200
