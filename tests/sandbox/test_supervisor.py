"""The sandbox as a program: what it says, that it ends, and that nothing outlives it."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # publishes no types
import psutil
import pytest
import requests
from joserfc import jwt
from joserfc.jwk import ECKey

from smartapp.sandbox.addresses import Addresses
from smartapp.sandbox.clients import make_clients
from smartapp.sandbox.config_files import Credentials, write_app
from smartapp.sandbox.pacs.orthanc.installation import find_orthanc
from smartapp.sandbox.ports import Ports, is_free
from smartapp.sandbox.scans.cache import default_cache, scans
from smartapp.sandbox.world import build_world
from smartapp.settings import load
from tests.support.parts import require

pytestmark = pytest.mark.long

ENDS_WITHIN = 10.0
WHOLE = [sys.executable, "-m", "smartapp.sandbox", "--json"]
COMMAND = [*WHOLE, "--without-app"]
TEXT = {"type": "string", "minLength": 1}
MAYBE = {"type": ["string", "null"]}
LINE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["schema", "data", "app", "ehr", "pacs", "ohif", "sample_app", "mail", "faults", "users",
                 "ehr_clients", "app_clients"],
    "properties": {
        "schema": {"const": 1},
        "data": TEXT,
        "app": {"type": "null"},
        "ehr": {
            "required": ["iss", "portal", "worklist"],
            "properties": {"iss": TEXT, "portal": TEXT, "worklist": MAYBE},
            "additionalProperties": False,
        },
        "pacs": {
            "required": ["kind", "dicomweb"],
            "properties": {"kind": {"enum": ["embedded", "orthanc"]}, "dicomweb": TEXT},
            "additionalProperties": False,
        },
        "ohif": {"type": "null"},
        "sample_app": {"type": "null"},
        "mail": {"required": ["smtp", "inbox"], "properties": {"smtp": TEXT, "inbox": TEXT}},
        "faults": TEXT,
        "users": {
            "type": "array",
            "minItems": 5,
            "items": {
                "required": ["username", "password", "kind", "fhirUser", "patient", "acts_for"],
                "properties": {
                    "username": TEXT,
                    "password": TEXT,
                    "kind": {"enum": ["patient", "representative", "clinician", "clerk", "privacy_officer"]},
                    "fhirUser": {"type": "string", "pattern": "^[A-Z][A-Za-z]+/[A-Za-z0-9.-]+$"},
                    "patient": MAYBE,
                    "acts_for": {"type": "array", "items": TEXT},
                },
                "additionalProperties": False,
            },
        },
        "ehr_clients": {
            "type": "array",
            "minItems": 4,
            "items": {
                "required": ["client_id", "kind", "client_secret", "jwk_file", "redirect_uris", "scope"],
                "properties": {
                    "client_id": TEXT,
                    "kind": {"enum": ["public", "confidential", "backend"]},
                    "client_secret": MAYBE,
                    "jwk_file": MAYBE,
                    "redirect_uris": {"type": "array", "items": TEXT},
                    "scope": TEXT,
                },
                "additionalProperties": False,
            },
        },
        "app_clients": {"type": "array", "maxItems": 0},
    },
}  # fmt: skip


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox: its supervisor, what it announced, all of its processes, and its standard error."""

    supervisor: psutil.Process
    said: dict[str, Any]
    family: list[psutil.Process]
    errors: Path

    def child(self, module: str) -> psutil.Process:
        """The process that `module` runs in: the one that a leash holds."""
        return next(process for leash in self.leashes() for process in leash.children() if module in process.cmdline())

    def leashes(self) -> list[psutil.Process]:
        return self.supervisor.children()

    def wait_gone(self) -> list[psutil.Process]:
        """What is left of the family after the time that the supervisor has."""
        _, alive = psutil.wait_procs([self.supervisor, *self.family], timeout=ENDS_WITHIN)
        return alive


@pytest.fixture(scope="session", autouse=True)
def drawn(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The scans are drawn before any time limit runs."""
    scans(build_world(), default_cache(tmp_path_factory.mktemp("scans")))


@contextmanager
def sandbox(folder: Path, *options: str, command: list[str] | None = None) -> Iterator[Sandbox]:
    """A sandbox that has announced itself. Whatever the test did to it, nothing is left running afterwards."""
    errors = folder / "errors.txt"
    with errors.open("w") as stderr:
        process = subprocess.Popen([*(command or COMMAND), *options], stdout=subprocess.PIPE, stderr=stderr, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, errors.read_text()
        said = json.loads(line)
        supervisor = _supervisor(psutil.Process(process.pid))
        yield Sandbox(supervisor, said, supervisor.children(recursive=True), errors)
    finally:
        process.terminate()
        process.wait(ENDS_WITHIN)
        process.stdout.close()


def _supervisor(started: psutil.Process) -> psutil.Process:
    """The started process itself, or the supervisor that it has started."""
    every = [started, *started.children(recursive=True)]
    return next(process for process in every if "smartapp.sandbox" in process.cmdline())


def four_free_ports_base() -> int:
    offsets = (0, 10, 20, 21, 40)
    return next(base for base in range(21000, 31000, 50) if all(is_free(base + offset) for offset in offsets))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One for the tests that only look."""
    with sandbox(tmp_path_factory.mktemp("shared")) as running:
        yield running


def test_the_line_has_its_schema_and_everything_answers(shared: Sandbox) -> None:
    jsonschema.validate(shared.said, LINE)
    issuer = shared.said["ehr"]["iss"]
    assert requests.get(f"{issuer}/.well-known/smart-configuration", timeout=10).ok
    assert requests.get(shared.said["ehr"]["portal"], timeout=10).ok
    assert requests.get(f"{shared.said['pacs']['dicomweb']}/studies", timeout=10).status_code == 401
    assert issuer.startswith("http://localhost:")
    assert {user["kind"] for user in shared.said["users"]} == {"patient", "representative", "clinician"}
    for client in shared.said["ehr_clients"]:
        assert client["jwk_file"] is None or Path(client["jwk_file"]).stat().st_mode & 0o077 == 0


def test_a_sample_service_gets_a_token_that_the_pacs_takes(shared: Sandbox) -> None:
    base = shared.said["ehr"]["iss"].removesuffix("/fhir")
    client = next(entry for entry in shared.said["ehr_clients"] if entry["kind"] == "backend")
    key = ECKey.import_key(json.loads(Path(client["jwk_file"]).read_text()))
    claims = {
        "iss": client["client_id"], "sub": client["client_id"], "aud": f"{base}/oauth/token",
        "jti": "once", "exp": int(time.time()) + 60,
    }  # fmt: skip
    form = {
        "grant_type": "client_credentials",
        "scope": "system/ImagingStudy.rs",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode({"alg": "ES384", "kid": key.kid}, claims, key, algorithms=["ES384"]),
    }
    answer = requests.post(f"{base}/oauth/token", data=form, timeout=10)
    assert answer.status_code == 200, answer.text
    token = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    studies = requests.get(f"{shared.said['pacs']['dicomweb']}/studies", headers=token, timeout=10)
    people = build_world().hospital("st-elsewhere").people
    assert len(studies.json()) == sum(len(person.studies) for person in people)


def test_two_sandboxes_live_side_by_side(shared: Sandbox, tmp_path: Path) -> None:
    with sandbox(tmp_path) as second:
        assert second.said["ehr"]["iss"] != shared.said["ehr"]["iss"]
        assert second.said["data"] != shared.said["data"]
        second.supervisor.terminate()
        assert second.wait_gone() == []
        assert requests.get(f"{shared.said['ehr']['iss']}/metadata", timeout=10).ok


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_of_it(tmp_path: Path, number: signal.Signals) -> None:
    with sandbox(tmp_path) as running:
        running.supervisor.send_signal(number)
        assert running.supervisor.wait(ENDS_WITHIN) == 0
        assert running.wait_gone() == []
        assert not Path(running.said["data"]).exists()


@pytest.mark.promise("E8")
def test_the_death_of_the_parent_ends_all_of_it(tmp_path: Path) -> None:
    script = f"import subprocess; subprocess.run({COMMAND!r})"
    with sandbox(tmp_path, command=[sys.executable, "-c", script]) as running:
        parent = running.supervisor.parent()
        assert parent is not None
        parent.kill()
        assert running.wait_gone() == []


@pytest.mark.promise("E8")
def test_killing_the_supervisor_ends_all_of_it(tmp_path: Path) -> None:
    with sandbox(tmp_path, "--data", str(tmp_path / "data")) as running:
        running.supervisor.kill()
        assert running.wait_gone() == []


@pytest.mark.promise("E8")
def test_killing_a_leash_ends_all_of_it(tmp_path: Path) -> None:
    with sandbox(tmp_path) as running:
        leash = running.leashes()[-1]
        leash.kill()
        assert running.wait_gone() == []


@pytest.mark.promise("E8")
@pytest.mark.parametrize(("module", "name"), [("smartapp.sandbox.ehr", "EHR"), ("smartapp.sandbox.pacs", "PACS")])
def test_a_part_that_dies_is_named_and_ends_the_rest(tmp_path: Path, module: str, name: str) -> None:
    with sandbox(tmp_path) as running:
        running.child(module).kill()
        assert running.supervisor.wait(ENDS_WITHIN) == 1
        assert running.wait_gone() == []
        assert f"sandbox: {name} ended" in running.errors.read_text()


def test_a_signal_during_the_start_ends_it_as_well(tmp_path: Path) -> None:
    with (tmp_path / "errors.txt").open("w+") as errors:
        process = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            supervisor = psutil.Process(process.pid)
            while not (family := supervisor.children(recursive=True)):
                assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            assert process.communicate(timeout=ENDS_WITHIN)[0] == ""
        finally:
            process.kill()
    assert process.returncode == 0
    assert psutil.wait_procs(family, timeout=ENDS_WITHIN)[1] == []


def test_the_port_base_decides_the_ports_and_data_is_kept(tmp_path: Path) -> None:
    base, data = four_free_ports_base(), tmp_path / "kept"
    with sandbox(tmp_path, "--port-base", str(base), "--data", str(data)) as running:
        assert running.said["ehr"]["iss"] == f"http://localhost:{base + 10}/st-elsewhere/fhir"
        assert running.said["pacs"]["dicomweb"] == f"http://127.0.0.1:{base + 20}/st-elsewhere/dicom-web"
        assert running.said["data"] == str(data)
    assert (data / "ehr" / "config.json").is_file()


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    base = four_free_ports_base()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", base + 10))
        taken.listen()
        done = subprocess.run(
            [*COMMAND, "--port-base", str(base)], capture_output=True, text=True, timeout=60, check=False
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert f"port {base + 10} is in use" in done.stderr


def test_the_product_starts_in_front_of_them(tmp_path: Path) -> None:
    with sandbox(tmp_path, command=WHOLE) as running:
        app = running.said["app"]
        base = app["base"]
        assert base.startswith("http://127.0.0.1:")
        assert [provider["id"] for provider in app["providers"]] == ["st-elsewhere", "mercy"]
        assert app["issuer"] == app["providers"][0]["issuer"] == f"{base}/st-elsewhere"
        assert (app["launch"], app["callback"]) == (f"{base}/launch", f"{base}/callback")
        assert {"fhir", "dicomweb", "apps", "metrics"} < set(app)
        assert requests.get(f"{base}/healthz", timeout=10).ok
        assert f"{base}/callback" in running.said["ehr_clients"][0]["redirect_uris"]
        running.supervisor.terminate()
        assert running.wait_gone() == []


def test_orthanc_as_the_pacs(tmp_path: Path) -> None:
    require("Orthanc", find_orthanc())
    with sandbox(tmp_path, "--pacs", "orthanc", "--data", str(tmp_path / "data")) as running:
        jsonschema.validate(running.said, LINE)
        assert running.said["pacs"]["kind"] == "orthanc"
        assert sum(process.name() == "Orthanc" for process in running.family) == 2
        assert all(process.net_connections() == [] or _on_loopback(process) for process in running.family)
        running.supervisor.kill()
        assert running.wait_gone() == []


def _on_loopback(process: psutil.Process) -> bool:
    listening = [each for each in process.net_connections() if each.status == psutil.CONN_LISTEN]
    return all(each.laddr.ip in {"127.0.0.1", "::1"} for each in listening)


def text_of(path: Path | None) -> str:
    assert path is not None
    return path.read_text()


@pytest.mark.parametrize("database", [None, "postgresql+psycopg://smartapp@127.0.0.1:5432/smartapp"])
def test_the_product_is_told_about_both_hospitals(tmp_path: Path, database: str | None) -> None:
    world = build_world()
    addresses = Addresses(Ports(1, 2, (3, 4), 5, 6, (7, 8), 9, 10, 11, 12), ("st-elsewhere", "mercy"), "orthanc")
    clients = make_clients(addresses, tmp_path / "clients")
    path = write_app(tmp_path / "app", addresses, world, clients, Credentials(pacs_password="pass"), database)
    settings = load(path, {})
    assert settings.server.base_url == "http://127.0.0.1:1"
    assert settings.environment == "sandbox"
    assert settings.apps.failures_per_minute >= 600, "a test suite of refusals is no attack"
    assert settings.apps.registrations_per_hour >= 600
    assert settings.database.url == (database or f"sqlite:///{tmp_path}/app/smartapp.db")
    first, second = settings.providers
    assert first.iss == "http://localhost:2/st-elsewhere/fhir"
    assert first.trusted_origins == ("http://localhost:2", "http://127.0.0.1:3")
    assert first.mrn_systems == ("urn:oid:2.16.840.1.113883.19.5", "urn:oid:2.16.840.1.113883.19.4")
    assert (first.client_auth, second.client_auth) == ("private_key_jwt", "client_secret_basic")
    assert ECKey.import_key(json.loads(text_of(first.private_key_file))).is_private
    assert text_of(second.client_secret_file) == clients[1].secret
    assert text_of(second.dicomweb_password_file) == "pass"
    assert second.dicomweb == "http://127.0.0.1:4/dicom-web"


def test_the_leash_ends_what_ignores_sigterm_and_its_children(tmp_path: Path) -> None:
    stubborn = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n"
    )
    leash = subprocess.Popen(
        [sys.executable, "-m", "smartapp.sandbox.leash", sys.executable, "-c", stubborn],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert leash.stdin is not None
    assert leash.stdout is not None
    assert leash.stdout.readline() == b"ready\n"
    family = psutil.Process(leash.pid).children(recursive=True)
    assert len(family) == 2
    leash.stdin.close()
    assert leash.wait(ENDS_WITHIN) == 128 + signal.SIGKILL
    assert psutil.wait_procs(family, timeout=ENDS_WITHIN)[1] == []
    leash.stdout.close()


def test_the_leash_passes_the_exit_status_on() -> None:
    command = [sys.executable, "-m", "smartapp.sandbox.leash", sys.executable, "-c", "raise SystemExit(7)"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as leash:
        assert leash.wait(ENDS_WITHIN) == 7
