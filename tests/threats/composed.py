"""The whole application, as `bootstrap` composes it, before two hospitals; and browsers without script."""

from __future__ import annotations

import atexit
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import urlencode

from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from smartapp.bootstrap import Ground, House, build_house, lay_ground
from smartapp.errors import UpstreamError
from smartapp.security.keyring import Keyring
from smartapp.settings import Database, Keys, Rendering, Storage, Upstreams
from smartapp.tokens import signing_files
from tests.gateway.app import MULTIPART
from tests.launch.house import ShiftedClock, settings
from tests.support.databases import PostgresDatabases, SqliteFiles
from tests.threats.hospital import Hospital, fill, hospital

BASE = "https://images.example.org"
OURS = {"Origin": BASE, "Sec-Fetch-Site": "same-origin"}
LIMITS = Upstreams(connect_timeout=2, read_timeout=1, total_timeout=3, max_json_bytes=300_000, max_pages=4)


@cache
def _signing_keys() -> Path:
    """Made once for all tests: RSA keys take their time."""
    folder = Path(mkdtemp(prefix="smartapp-test-keys-"))
    signing_files.rotate(folder, ShiftedClock().now())
    atexit.register(shutil.rmtree, folder)
    return folder


@dataclass(repr=False)
class Composed:
    """The application and what it stands between. `restarted` is another worker on the same database and cache."""

    ground: Ground
    house: House
    clock: ShiftedClock
    first: Hospital
    second: Hospital

    def browser(self) -> Browser:
        return Browser(self, self.house.app.test_client())

    def signed_in(self, patient: str = "ana", at: Hospital | None = None) -> Browser:
        browser = self.browser()
        browser.sign_in(patient, at)
        return browser

    def calls(self) -> int:
        return self.first.calls() + self.second.calls()

    def kinds(self) -> list[str]:
        """The kinds of the trail's rows, in order."""
        with self.ground.database.read() as session:
            return list(session.scalars(text("SELECT kind FROM audit_events ORDER BY seq")))


@dataclass(repr=False)
class Browser:
    """One browser: its cookies, the record that is open in it, and where it stands."""

    composed: Composed
    client: FlaskClient
    ctx: str = ""
    page: Any = field(default=None)

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.open(path, method="GET", **kwargs)

    def open(self, path: str, **kwargs: Any) -> TestResponse:
        """The whole answer, its stream read and closed as a server does. What breaks a stream is raised."""
        return self.client.open(path, **{"base_url": BASE, "buffered": True, **kwargs})

    def post(self, path: str, *, token: str | None = None, **fields: str) -> TestResponse:
        """Sends a form of ours, with the token of the page that stands in the browser, or another."""
        data = {"csrf_token": self.csrf() if token is None else token, **fields}
        return self.open(path, method="POST", data=data, headers=OURS)

    def start(self, at: Hospital | None = None) -> str:
        """Off to the hospital; where to."""
        chosen = at or self.composed.first
        answer = self.open("/start", method="POST", data={"provider": chosen.id}, headers=OURS)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def launch(self, at: Hospital, handle: str = "handle-1") -> TestResponse:
        return self.get("/launch", query_string={"iss": at.ehr.iss, "launch": handle})

    def back(self, params: dict[str, list[str]]) -> TestResponse:
        return self.get(f"/callback?{urlencode(params, doseq=True)}")

    def sign_in(self, patient: str, at: Hospital | None = None) -> str:
        """Through the hospital and back; the context of the record that was opened."""
        chosen = at or self.composed.first
        answer = self.back(chosen.consent(self.start(chosen), patient))
        assert answer.status_code == 303, answer.text
        self.ctx = answer.headers["Location"].strip("/").split("/")[-1]
        return self.ctx

    def my(self, path: str = "", **kwargs: Any) -> TestResponse:
        return self.get(f"/my/{self.ctx}/{path}", **kwargs)

    def csrf(self) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.my("sessions").text)
        return found[1] if found else ""

    def cookie(self) -> str:
        found = self.client.get_cookie("__Host-smartapp-session", domain="images.example.org")
        return found.value if found else ""

    def viewer_token(self, study: str = "1.2.3") -> str:
        answer = self.post(f"/my/{self.ctx}/studies/{study}/viewer-token")
        assert answer.status_code == 200, answer.text
        return str(answer.get_json()["token"])

    def dicomweb(self, path: str, token: str, provider: str = "st-elsewhere", **kwargs: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {token}", **kwargs.pop("headers", {})}
        return self.open(f"/{provider}/dicomweb{path}", **{"method": "GET", "headers": headers, **kwargs})

    def look(self, path: str, token: str, accept: str = MULTIPART) -> tuple[int, bytes]:
        """Status and every byte that left at a gateway's address, also of a stream that broke."""
        response = self.dicomweb(path, token, headers={"Accept": accept}, buffered=False)
        return response.status_code, b"".join(_pieces(response))


def _pieces(response: TestResponse) -> Iterator[bytes]:
    try:
        yield from response.iter_encoded()
    except UpstreamError:
        return  # a server breaks the connection here
    finally:
        response.close()


@contextmanager
def composed(sqlite_files: SqliteFiles | PostgresDatabases, folder: Path, **changed: Any) -> Iterator[Composed]:
    """One worker on a database and keys of its own. `changed` are settings."""
    Keyring.create(folder / "keys")
    shutil.copytree(_signing_keys(), folder / "keys", dirs_exist_ok=True)
    with (
        sqlite_files.ready() as url,
        hospital("st-elsewhere", "ST-ELSEWHERE") as first,
        hospital("mercy", "MERCY") as second,
    ):
        fill(first, second)
        facts = {
            "database": Database(url, lock_timeout=0.15),
            "storage": Storage(folder / "cache"),
            "keys": Keys(folder / "keys"),
            "rendering": Rendering(processes=1),
            "upstreams": LIMITS,
        }
        clock = first.clock = second.clock = ShiftedClock()
        chosen = settings(first.provider(), second.provider(), base_url=BASE, **{**facts, **changed})
        ground = lay_ground(chosen, clock)
        house = build_house(ground)
        house.app.testing = False
        yield Composed(ground, house, clock, first, second)
        house.pool.close()
        ground.database.engine.dispose()
