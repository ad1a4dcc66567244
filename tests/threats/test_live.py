"""The product as processes, before the sandbox's hospitals: what only real workers, sockets and logs can tell."""

from __future__ import annotations

import re
import resource
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from smartapp.audit.service import AuditTrail
from smartapp.bootstrap import lay_ground
from smartapp.clock import SystemClock
from smartapp.launch.ehrs import Ehrs
from smartapp.launch.keeper import TokenKeeper
from smartapp.launch.vault import Vault
from smartapp.sandbox.world import build_world
from smartapp.settings import load
from tests.support.sandboxes import running
from tests.support.visitor import Visitor, open_my_imaging

Sandbox = dict[str, Any]
CHEST = build_world().hospitals[0].people[0].studies[0]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running() as ready:
        yield ready


def until(true: Callable[[], bool], seconds: float = 25.0) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def database(sandbox: Sandbox) -> sqlite3.Connection:
    return sqlite3.connect(Path(sandbox["data"]) / "app" / "smartapp.db", isolation_level=None, timeout=10)


def kinds(sandbox: Sandbox) -> list[str]:
    with closing(database(sandbox)) as connection:
        return [row[0] for row in connection.execute("SELECT kind FROM audit_events ORDER BY seq")]


def study_page(visitor: Visitor, sandbox: Sandbox) -> str:
    return f"{sandbox['app']['base']}/my/{_ctx(visitor)}/studies/{CHEST.uid}"


def _ctx(visitor: Visitor) -> str:
    found = re.search(r"/my/([^/]+)/", visitor.page.url)
    assert found is not None
    return found[1]


def viewer_token(visitor: Visitor, sandbox: Sandbox) -> str:
    page = visitor.open(study_page(visitor, sandbox)).page
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert csrf is not None
    origin = {"Origin": sandbox["app"]["base"], "X-CSRF-Token": csrf[1]}
    return str(visitor.http.post(f"{page.url}/viewer-token", headers=origin, timeout=30).json()["token"])


def workers(sandbox: Sandbox) -> list[psutil.Process]:
    """gunicorn's workers: they run the same command as their parent."""
    config = str(Path(sandbox["data"]) / "app" / "smartapp.toml")
    serving = {}
    for each in psutil.process_iter(["cmdline"]):
        command = each.info["cmdline"] or []
        if config in command and "serve" in command and "smartapp.sandbox.leash" not in command:
            serving[each.pid] = each
    found = [each for each in serving.values() if each.ppid() in serving]
    assert len(found) == 2
    return found


@pytest.mark.threat("T18")
def test_no_log_of_the_product_names_anybody_or_holds_a_secret(sandbox: Sandbox) -> None:
    """Two people's visits, pictures, wrong addresses and refused callbacks; then every line that was written."""
    secrets: list[str] = []
    for username in ("ana", "ben"):
        visitor = open_my_imaging(sandbox, username)
        secrets += [cookie.value or "" for cookie in visitor.http.cookies if "smartapp" in cookie.name]
        secrets += [part for each in visitor.page.history for part in re.findall(r"(?:code|state)=([^&]+)", each.url)]
        secrets.append(_ctx(visitor))
        if username == "ana":
            token = viewer_token(visitor, sandbox)
            secrets.append(token)
            base = f"{sandbox['app']['dicomweb']}/studies"
            headers = {"Authorization": f"Bearer {token}"}
            for path in ("", f"/{CHEST.uid}/metadata", "/1.2.3", f"/{CHEST.uid}/series/1.2", "?PatientID=SE-1001&x=y"):
                visitor.http.get(base + path, headers=headers, timeout=60)
        for path in (
            "/callback?code=x&state=y",
            "/launch?iss=https://evil.example&launch=z",
            f"/my/{_ctx(visitor)}/nowhere",
        ):
            visitor.open(sandbox["app"]["base"] + path)
    secrets += _misread(sandbox)
    folder = Path(sandbox["data"]) / "logs"
    told = "".join(path.read_text() for path in folder.glob("app*.log"))
    assert told
    people = [person for hospital in build_world().hospitals for person in hospital.people]
    words = {
        word
        for person in people
        for word in (person.family, person.given.split()[0], *(v for _, v in person.identifiers))
    }
    for word in [*words, *secrets, "Bearer ", CHEST.uid]:
        pattern = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
        assert [line for line in told.splitlines() if pattern.search(line)] == []
    assert len(secrets) >= 8


def keeper_of(sandbox: Sandbox) -> tuple[TokenKeeper, Vault]:
    """As a worker holds it, on the same database and keys."""
    clock = SystemClock()
    ground = lay_ground(load(Path(sandbox["data"]) / "app" / "smartapp.toml", {}), clock)
    vault = Vault(ground.keyring, ground.datakeys)
    trail: AuditTrail = ground.audit
    return TokenKeeper(Ehrs(ground.settings, ground.outbound, clock), ground.database, vault, trail, clock), vault


@pytest.mark.threat("S22")
def test_what_the_ehr_has_revoked_sends_the_person_back_to_sign_in(sandbox: Sandbox) -> None:
    """The EHR's own revocation endpoint is given the refresh token; our session still lives."""
    visitor = open_my_imaging(sandbox)
    page = study_page(visitor, sandbox)
    assert visitor.open(page).page.status_code == 200
    keeper, vault = keeper_of(sandbox)
    with closing(database(sandbox)) as connection:
        row = connection.execute(
            "SELECT id, provider, sealed_patient, sealed, version FROM ehr_credentials WHERE sealed IS NOT NULL"
            " ORDER BY created_at DESC LIMIT 1"
        ).fetchone()
    tokens = vault.open_(vault.open_patient(row[0], row[2]), row[0], row[4], row[3])
    keeper.give_back(row[1], tokens.access, tokens.refresh)
    refused = visitor.open(page).page
    assert refused.status_code == 403
    assert "You are signed out" in refused.text
    assert CHEST.description not in refused.text
    with closing(database(sandbox)) as connection:
        left = connection.execute("SELECT sealed FROM ehr_credentials WHERE id = ?", (row[0],)).fetchone()
    assert left[0] is None
    assert kinds(sandbox).count("smart.revoked_upstream") + kinds(sandbox).count("smart.refresh.refused") >= 1
    assert open_my_imaging(sandbox).open(page).page.status_code == 409
    assert "Ana" not in visitor.page.text


@pytest.mark.threat("S23")
def test_workers_that_need_a_new_token_at_once_ask_once(sandbox: Sandbox) -> None:
    """The EHR rotates, and ends the family of a token that comes twice: all answers are good, and the next."""
    visitor = open_my_imaging(sandbox)
    page = study_page(visitor, sandbox)
    before = kinds(sandbox).count("smart.refresh")
    with closing(database(sandbox)) as connection:
        connection.execute(
            "UPDATE ehr_credentials SET expires_at = created_at"
            " WHERE created_at = (SELECT max(created_at) FROM ehr_credentials)"
        )
    cookies = visitor.http.cookies.get_dict()

    def look(_number: int) -> int:
        return requests.get(page, cookies=cookies, timeout=60).status_code

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(look, range(24))) == {200}
    assert kinds(sandbox).count("smart.refresh") == before + 1
    assert visitor.open(page).page.status_code == 200


def connection_to(sandbox: Sandbox) -> socket.socket:
    parts = urlsplit(sandbox["app"]["base"])
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=40)


def host_of(sandbox: Sandbox) -> str:
    return str(urlsplit(sandbox["app"]["base"]).netloc)


@pytest.mark.threat("F22")
def test_slow_bodies_end_in_408_and_others_are_served(sandbox: Sandbox) -> None:
    """Twenty drips, more than there are threads: each is ended at the deadline, and then the next person is served."""
    head = f"POST /start HTTP/1.1\r\nHost: {host_of(sandbox)}\r\nContent-Length: 50\r\n\r\np".encode()
    with ExitStack() as stack:
        slow = [stack.enter_context(connection_to(sandbox)) for _ in range(20)]
        for each in slow:
            each.sendall(head)
        assert requests.get(f"{sandbox['app']['base']}/healthz", timeout=40).status_code == 200
        answers = [each.recv(4096)[:12] for each in slow[:4]]
    assert set(answers) == {b"HTTP/1.1 408"}


@pytest.mark.threat("F23")
@pytest.mark.threat("F22")
def test_a_client_that_goes_away_or_reads_nothing_ends_its_stream(sandbox: Sandbox) -> None:
    visitor = open_my_imaging(sandbox)
    token = viewer_token(visitor, sandbox)
    request = (
        f"GET {urlsplit(sandbox['app']['dicomweb']).path}/studies/{CHEST.uid} HTTP/1.1\r\n"
        f"Host: {host_of(sandbox)}\r\n"
        f'Accept: multipart/related; type="application/dicom"; transfer-syntax=*\r\n'
        f"Authorization: Bearer {token}\r\n\r\n"
    ).encode()  # fmt: skip
    with connection_to(sandbox) as connection:
        connection.sendall(request)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    # What was counted is written when the person signs out, at the latest.
    visitor.open(study_page(visitor, sandbox)).submit("Sign out")
    assert until(lambda: _aborted(sandbox) >= 1)


def _misread(sandbox: Sandbox) -> list[str]:
    """Sends what no server can read, with secrets at each place that a fault may quote; the secrets."""
    host = f"Host: {host_of(sandbox)}"
    for request in (
        "GET /my/misread-a/ HTTP/9.9",
        "GET /callback?code=misread-b",
        "MISREAD<c> / HTTP/1.1",
        f"GET / HTTP/1.1\r\n{host}\r\nAuthorization: Bearer misread-d\x00",
        f"GET / HTTP/1.1\r\n{host}\r\nCookie: a\r\n misread-e",
        f"GET / HTTP/1.1\r\n{host}\r\nmisread f: x",
        f"POST /start HTTP/1.1\r\n{host}\r\nTransfer-Encoding: misread-g",
        f"POST /start HTTP/1.1\r\n{host}\r\nExpect: misread-h",
    ):
        with connection_to(sandbox) as connection:
            connection.sendall(f"{request}\r\n\r\n".encode())
            assert connection.recv(64)[:10] in {b"HTTP/1.1 4", b"HTTP/1.1 5"}, request
    return ["misread-a", "misread-b", "MISREAD", "misread-d", "misread-e", "misread", "misread-g", "misread-h"]


def _aborted(sandbox: Sandbox) -> int:
    with closing(database(sandbox)) as connection:
        return int(connection.execute("SELECT coalesce(sum(aborted), 0) FROM disclosures").fetchone()[0])


@pytest.mark.threat("F28")
def test_a_worker_without_file_descriptors_comes_back_without_a_restart(sandbox: Sandbox) -> None:
    visitor = open_my_imaging(sandbox)
    page = study_page(visitor, sandbox)
    held = {each.pid: resource.prlimit(each.pid, resource.RLIMIT_NOFILE) for each in workers(sandbox)}
    try:
        for pid, (_, hard) in held.items():
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (psutil.Process(pid).num_fds() + 1, hard))
        for _ in range(6):
            with suppress(requests.ConnectionError):
                answer = requests.get(page, cookies=visitor.http.cookies.get_dict(), timeout=20)
                assert answer.status_code in {200, 502, 503}
                assert "Traceback" not in answer.text
    finally:
        for pid, limits in held.items():
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    assert until(lambda: visitor.open(page).page.status_code == 200)
    assert {each.pid for each in workers(sandbox)} == set(held)


@pytest.mark.threat("O21")
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("state", "usual", "statuses"),
    [
        ("x" * 100_000, "x" * 2049, {400, 413, 414, 431}),
        ("a\r\nSet-Cookie: x=1\r\n\r\n<b>", "\x00", {400}),
        ("<script>alert(1)</script>", "st", {303}),
    ],
)
def test_no_state_of_an_app_splits_an_answer(
    sandbox: Sandbox, method: str, state: str, usual: str, statuses: set[int]
) -> None:
    """What the server refuses by itself, before the product reads it, has fewer headers, and never another."""
    expected, answer = (asked_by_an_app(sandbox, method, each) for each in (usual, state))
    assert answer.status_code in statuses
    assert set(answer.headers) <= set(expected.headers) | {"Connection"}
    if answer.status_code == expected.status_code:
        assert len(answer.raw.headers) == len(expected.raw.headers)
    assert ("Location" in answer.headers) is (statuses == {303})
    assert "<script>" not in str(answer.headers) + answer.text
    assert "x=1" not in str(answer.headers)
    assert "xxxx" not in answer.text


def asked_by_an_app(sandbox: Sandbox, method: str, state: str) -> requests.Response:
    app, issuer = sandbox["app_clients"][0], sandbox["app"]["issuer"]
    said = {
        "response_type": "code", "client_id": app["client_id"], "redirect_uri": app["redirect_uris"][0],
        "scope": "launch/patient patient/ImagingStudy.rs", "state": state, "aud": sandbox["app"]["fhir"],
        "code_challenge": "c" * 43, "code_challenge_method": "S256",
    }  # fmt: skip
    sent = {"params": said} if method == "GET" else {"data": said}
    address = f"{issuer}/oauth/authorize"
    return requests.request(method, address, allow_redirects=False, timeout=60, **sent)  # type: ignore[arg-type] # one of the two
