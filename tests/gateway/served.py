"""A served gateway, as tests see it."""

import json
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from smartapp.clock import SystemClock
from smartapp.db.engine import make_engine
from smartapp.db.unit import Database
from smartapp.dicomweb.core.render import RenderPool
from smartapp.sandbox.ports import choose_ports
from smartapp.sandbox.processes import end, start, wait_until
from smartapp.security.keyring import Keyring
from smartapp.settings import Database as DatabaseSettings
from tests.access.house import House
from tests.dicomweb_upstream.archive import Archive
from tests.fhir_upstream.fake_fhir import FakeFhir
from tests.records.desk import Desk


@dataclass
class Served:
    """The desk shares database, keys and cache with the process at `base_url`; `token` opens `study` there."""

    desk: Desk
    base_url: str
    token: str
    port: int

    @property
    def dicomweb(self) -> str:
        return f"{self.base_url}/st-elsewhere/dicomweb"

    def raw(self, path: str, accept: str) -> bytes:
        """Everything that comes over the wire, until the connection is closed."""
        head = (
            f"GET /st-elsewhere/dicomweb{path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAccept: {accept}\r\n"
            f"Authorization: Bearer {self.token}\r\nConnection: close\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(head.encode())
            received = b""
            with suppress(ConnectionResetError):
                while chunk := connection.recv(65536):
                    received += chunk
            return received


@contextmanager
def served(
    url: str, keys: Path, ehr: FakeFhir, archive: Archive, folder: Path, pool: RenderPool, study: str,
    hospital: Mapping[str, Any] | None = None,
) -> Iterator[Served]:  # fmt: skip
    facts = dict(hospital or {})
    port = choose_ports(None, 1).app
    base_url = f"http://127.0.0.1:{port}"
    engine = make_engine(DatabaseSettings(url))
    house = House(Database(engine), Keyring.load(keys), cast("Any", SystemClock()))
    desk = Desk(house, ehr, archive, folder, pool, base_url, facts)
    told = {
        "database": url, "keys": str(keys), "folder": str(folder), "archive": archive.url, "base_url": base_url,
        "ehr": {"base": ehr.base, "origin": ehr.origin}, "port": port,
        "hospital": {name: str(value) for name, value in facts.items()},
    }  # fmt: skip
    (folder / "told.json").write_text(json.dumps(told))
    principal = house.principal()
    token, _ = house.viewer_tokens.issue(principal, study)
    child = start("gateway", [sys.executable, "-m", "tests.gateway.serve", str(folder / "told.json")], folder / "log")
    try:
        wait_until(lambda: _answers(port), [child], "gateway")
        yield Served(desk, base_url, token, port)
    finally:
        end([child])
        engine.dispose()


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
