"""Four workers on one PostgreSQL before two hospitals; people who sign in, apps, and what is kept of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from sqlalchemy import text

from smartapp.bootstrap import Ground, House, build_house, lay_ground
from smartapp.clock import ShiftedClock, SystemClock
from smartapp.consent.grants.model import Terms
from smartapp.consent.scopes.grammar import parse
from smartapp.exchange.approvals.service import Asked
from smartapp.identity.apps.model import App, AppMetadata, AppState
from smartapp.identity.apps.service import Registered
from smartapp.sandbox.ports import choose_ports
from smartapp.security.keyring import Keyring
from smartapp.settings import load
from smartapp.tokens import signing_files
from smartapp.web.parts import Parts
from tests.authserver.house import JWKS
from tests.dicomweb_upstream.objects import Made
from tests.exchange.desk import ALL, REDIRECT, VERIFIER, challenge
from tests.fhir_upstream.fake_fhir import study
from tests.support.databases import PostgresDatabases
from tests.support.toml import write_toml
from tests.support.workers import Workers, serving
from tests.threats.hospital import Hospital, fill, hospital

COUNT = 4
THREADS = 8
PROVIDER = "st-elsewhere"
OAUTH = f"/{PROVIDER}/oauth"
LARGE = "1.2.9"
LARGE_OBJECTS = tuple(Made(f"1.2.9.1.{at}", "1.2.9.1", LARGE, number=at, size=512) for at in range(1, 65))
"""32 MiB: more than what may leave after an end, with all that sockets hold."""


@dataclass(repr=False)
class Patient:
    """Ana, signed in: the cookie of her browser, and the record that is open in it."""

    ctx: str
    cookie: str
    headers: Mapping[str, str]
    csrf: str


@dataclass(repr=False)
class Site:
    """`house` shares the workers' database and keys, and serves nothing: tests register apps and look through it."""

    workers: Workers
    ground: Ground
    house: House
    clock: Path
    first: Hospital
    shift: int = field(default=0)

    @property
    def parts(self) -> Parts:
        found = self.house.app.extensions["smartapp.parts"]
        assert isinstance(found, Parts)
        return found

    @property
    def issuer(self) -> str:
        return f"{self.workers.base}/{PROVIDER}"

    def later(self, seconds: int) -> None:
        """For all workers, the hospital and us."""
        self.shift += seconds
        self.clock.write_text(str(self.shift))

    def sign_in(self) -> Patient:
        """Through the hospital and back, at whichever worker answers."""
        base = self.workers.base
        with requests.Session() as http:
            http.trust_env = False
            http.headers["Origin"] = base
            sent = http.post(f"{base}/start", data={"provider": PROVIDER}, allow_redirects=False, timeout=60)
            params = self.first.consent(sent.headers["Location"], "ana")
            back = http.get(f"{base}/callback", params=params, allow_redirects=False, timeout=60)
            assert back.status_code == 303, back.text
            ctx = back.headers["Location"].strip("/").split("/")[-1]
            page = http.get(f"{base}/my/{ctx}/sessions", timeout=60)
            found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
            assert found is not None
            cookies = http.cookies.get_dict()
        cookie = next(value for name, value in cookies.items() if "session" in name)
        said = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return Patient(ctx, cookie, {"Cookie": said, "Origin": base}, found[1])

    def app(self, **said: Any) -> App:
        return self.registered(**said).app

    def registered(self, **said: Any) -> Registered:
        """With its secret, where it has one."""
        facts: dict[str, Any] = {
            "client_name": "An app",
            "redirect_uris": (REDIRECT,),
            "grant_types": ("authorization_code", "refresh_token"),
            "token_endpoint_auth_method": "none",
            "scope": ALL,
        }
        metadata = AppMetadata(**{**facts, **said})
        return self.parts.apps.register(metadata, provider=PROVIDER, state=AppState.ACTIVE)

    def backend(self) -> App:
        return self.app(
            redirect_uris=(),
            grant_types=("client_credentials",),
            token_endpoint_auth_method="private_key_jwt",
            scope="system/ImagingStudy.rs",
            jwks=JWKS,
        )

    def code(self, patient: Patient, app: App) -> str:
        """Ana allows everything; the code that the app is sent."""
        parts = self.parts
        session = parts.identity.lookup(patient.cookie)
        assert session is not None
        principal = parts.identity.principal(session, patient.ctx)
        asked = Asked(PROVIDER, app.client_id, REDIRECT, "state", ALL, challenge=challenge())
        url = parts.app_grants.approve(
            principal, parts.approvals.begin(asked), Terms(scopes=parse(ALL)), session_id=principal.session_id
        )
        return parse_qs(urlsplit(url).query)["code"][0]

    def form(self, code: str, app: App) -> dict[str, str]:
        said = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        return {**said, "client_id": app.client_id}

    def tokens(self, patient: Patient, app: App) -> dict[str, Any]:
        """What the app is answered."""
        form = self.form(self.code(patient, app), app)
        answer = requests.post(f"{self.issuer}/oauth/token", data=form, timeout=60)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert isinstance(found, dict)
        return found

    def one(self, query: str, **values: str) -> Any:
        """The one value that a query finds."""
        with self.ground.database.read() as session:
            return session.execute(text(query), values).scalar_one()

    def high(self, kind: str) -> int:
        """How many rows of this kind there are, weighed high."""
        return int(self.one("SELECT count(*) FROM audit_events WHERE severity = 'high' AND kind = :kind", kind=kind))


@contextmanager
def site(databases: PostgresDatabases, folder: Path, *, workers: int = COUNT, threads: int = THREADS) -> Iterator[Site]:
    """Until the block ends."""
    port = choose_ports(None, 1).app
    base = f"http://127.0.0.1:{port}"
    clock = folder / "clock"
    Keyring.create(folder / "keys")
    signing_files.rotate(folder / "keys", SystemClock().now())
    with (
        databases.ready() as url,
        hospital(PROVIDER, "ST-ELSEWHERE") as first,
        hospital("mercy", "MERCY") as second,
    ):
        fill(first, second)
        first.clock = ShiftedClock(clock)
        first.records["ana"].studies.append(study("i9", LARGE, "Patient/ana", description="CT abdomen"))
        first.archive.held += LARGE_OBJECTS
        config = _config(folder, url, base, port, first, workers, threads)
        ground = lay_ground(load(config, {}), ShiftedClock(clock))
        house = build_house(ground)
        try:
            with serving(config, base, port, workers, clock) as served:
                yield Site(served, ground, house, clock, first)
        finally:
            house.pool.close()
            ground.database.engine.dispose()


def _config(folder: Path, url: str, base: str, port: int, first: Hospital, workers: int, threads: int) -> Path:
    """As an operator writes it. Limits of rate and of patience are out of the way: they are tried elsewhere, and the
    machine may be slow.
    """
    known = first.provider()
    names = (
        "id", "name", "iss", "trusted_origins", "client_id", "client_auth", "scopes", "dicomweb", "mrn_systems",
        "issuer_of_patient_id", "timezone",
    )  # fmt: skip
    (folder / "providers.toml").write_text(write_toml({"provider": [{name: getattr(known, name) for name in names}]}))
    document = {
        "server": {"base_url": base, "port": port, "workers": workers, "threads": threads},
        "database": {"url": url, "lock_timeout": 30},
        "storage": {"cache_dir": "cache"},
        "keys": {"dir": "keys"},
        "providers": {"file": "providers.toml"},
        "environment": {"name": "sandbox"},
        "rendering": {"processes": 1},
        "apps": {"failures_per_minute": 1_000_000, "requests_per_minute": 1_000_000},
    }
    (folder / "smartapp.toml").write_text(write_toml(document))
    return folder / "smartapp.toml"
