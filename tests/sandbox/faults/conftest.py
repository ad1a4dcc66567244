"""A part that answers well, the relay before it, and the address that sets faults, all in this process."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from smartapp.sandbox.faults.board import Board
from smartapp.sandbox.faults.catalogue import HEADER, Part
from smartapp.sandbox.faults.control import TRAP, make_server
from smartapp.sandbox.faults.relay import Relay
from smartapp.sandbox.ports import choose_ports

BOUNDARY = "between"
PATIENTS = {"1": "ANA", "2": "ANA", "3": "BEN"}


def instance(study: str, number: int) -> bytes:
    return f"DICM of {study}, {number}".encode()


def multipart(parts: list[bytes]) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    return b"".join(head + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()


class WellBehaved(BaseHTTPRequestHandler):
    """Says what it was asked; has three studies of two patients, with two instances each."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, _, _ = self.path.partition("?")
        names = path.strip("/").split("/")
        if path.startswith("/h/fhir/"):
            self._json({"resourceType": "Bundle", "type": "searchset", "link": [{"relation": "self", "url": "x"}]})
        elif path == "/studies":
            self._json(
                [{"0020000D": {"Value": [uid]}, "00100020": {"Value": [name]}} for uid, name in PATIENTS.items()]
            )
        elif names[-1] == "series":
            self._json([{"0020000E": {"Value": ["7"]}}])
        elif names[-1] == "instances":
            self._json([{"00080018": {"Value": ["8"]}}])
        elif names[0] == "studies":
            count = 1 if "instances" in names else 2
            kind = f'multipart/related; type="application/dicom"; boundary="{BOUNDARY}"'
            self._say(kind, multipart([instance(names[1], number) for number in range(count)]))
        else:
            self._json({"path": self.path})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._json({"body": body, "fault": self.headers.get(HEADER)})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class's name
        """Nothing."""

    def _json(self, document: Any) -> None:
        self._say("application/json", json.dumps(document).encode())

    def _say(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@dataclass(frozen=True)
class Bench:
    """The relay's address, and the one that sets its faults."""

    part: Part
    base: str
    faults: str
    board: Board

    def set(self, fault: str, **more: Any) -> None:
        answer = requests.put(f"{self.faults}/{self.part}", json={"fault": fault, **more}, timeout=10)
        assert answer.status_code == 200, answer.text


@contextmanager
def served(server: ThreadingHTTPServer) -> Iterator[int]:
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@contextmanager
def bench(part: Part, clock: Path) -> Iterator[Bench]:
    board, ports = Board(clock), choose_ports(None, 1)
    with (
        served(ThreadingHTTPServer(("127.0.0.1", 0), WellBehaved)) as behind,
        served(make_server(ports.faults, board)) as control,
    ):
        Relay(part, ports.ehr, behind).listen(board, f"http://127.0.0.1:{control}{TRAP}")
        yield Bench(part, f"http://127.0.0.1:{ports.ehr}", f"http://127.0.0.1:{control}", board)


@pytest.fixture
def ehr(tmp_path: Path) -> Iterator[Bench]:
    with bench("ehr", tmp_path / "clock") as running:
        yield running


@pytest.fixture
def pacs(tmp_path: Path) -> Iterator[Bench]:
    with bench("pacs", tmp_path / "clock") as running:
        yield running
