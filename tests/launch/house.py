"""The launch room, built as `bootstrap` builds it, on a test's own database."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from smartapp.audit.service import AuditTrail
from smartapp.clock import SystemClock
from smartapp.consent.model import SEAL, IndexPermit
from smartapp.db.datakeys import DataKeys
from smartapp.db.unit import Database
from smartapp.identity.model import PatientKey
from smartapp.launch.ehrs import Ehrs
from smartapp.launch.keeper import TokenKeeper
from smartapp.launch.model import CompletedLaunch
from smartapp.launch.service import Launcher
from smartapp.launch.vault import Vault
from smartapp.outbound.service import Outbound
from smartapp.security.keyring import Keyring
from smartapp.settings import Database as DatabaseSettings
from smartapp.settings import Keys, Provider, Server, Settings, Storage, Upstreams
from smartapp.tokens.single_use import SingleUse
from tests.launch.fake_ehr import CLIENT, FakeEhr

SCOPES = ("openid", "fhirUser", "offline_access", "patient/ImagingStudy.rs", "patient/DiagnosticReport.rs")


class ShiftedClock:
    """The machine's time, moved: the EHR of a test lives in real time."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def now(self) -> datetime:
        return SystemClock().now() + self.shift

    def advance(self, seconds: float) -> None:
        self.shift += timedelta(seconds=seconds)


def provider(iss: str, origins: tuple[str, ...], **changed: Any) -> Provider:
    facts: dict[str, Any] = {
        "id": "st-elsewhere",
        "name": "St. Elsewhere",
        "iss": iss,
        "trusted_origins": origins,
        "client_id": CLIENT,
        "client_auth": "none",
        "scopes": SCOPES,
        "dicomweb": f"{origins[0]}/dicomweb",
        "mrn_systems": (),
        "timezone": "America/Chicago",
        **changed,
    }
    return Provider(**facts)


def settings(*providers: Provider, base_url: str = "https://images.example.org", **changed: Any) -> Settings:
    facts: dict[str, Any] = {
        "server": Server(base_url),
        "database": DatabaseSettings("sqlite://"),
        "storage": Storage(Path()),
        "keys": Keys(Path()),
        "providers": providers,
        "environment": "sandbox",
        "upstreams": Upstreams(connect_timeout=2, read_timeout=5, total_timeout=10),
        **changed,
    }
    return Settings(**facts)


@dataclass
class House:
    """One worker: its own caches and doors, on the shared database."""

    settings: Settings
    database: Database
    keyring: Keyring
    clock: ShiftedClock = field(default_factory=ShiftedClock)

    def __post_init__(self) -> None:
        datakeys = DataKeys(self.database, self.keyring, self.clock)
        self.audit = AuditTrail(self.database, self.keyring, datakeys, self.clock)
        self.outbound = Outbound(self.settings.upstreams, self.clock, sleep=lambda _seconds: None)
        self.ehrs = Ehrs(self.settings, self.outbound, self.clock)
        self.vault = Vault(self.keyring, datakeys)
        self.keeper = TokenKeeper(self.ehrs, self.database, self.vault, self.audit, self.clock)
        single_use = SingleUse(self.database, self.keyring, self.clock)
        self.launcher = Launcher(
            self.settings, self.ehrs, self.keeper, self.keyring, single_use, self.audit, self.clock
        )

    def kinds(self) -> list[str]:
        """The kinds of the audit rows, in order."""
        with self.database.read() as session:
            return list(session.scalars(text("SELECT kind FROM audit_events ORDER BY seq")))

    def severities(self, kind: str) -> list[str]:
        with self.database.read() as session:
            rows = session.execute(text("SELECT severity FROM audit_events WHERE kind = :kind"), {"kind": kind})
            return [row[0] for row in rows]


def fake_house(ehr: FakeEhr, database: Database, keyring: Keyring, **changed: Any) -> House:
    return House(settings(provider(ehr.iss, (ehr.origin,), **changed)), database, keyring)


def sign_in(house: House, ehr: FakeEhr) -> CompletedLaunch:
    """A whole standalone launch at the fake EHR."""
    begun = house.launcher.begin(provider_id="st-elsewhere")
    return house.launcher.complete(ehr.consent(begun.authorize_url), begun.browser_secret)


def permit_for(done: CompletedLaunch) -> IndexPermit:
    """Tests make their permits themselves; the house lets `access` alone do it."""
    return IndexPermit(seal=SEAL, patient=PatientKey(done.provider, done.patient_id), credential_id=done.credential_id)
