"""The rooms that apps' tokens need, put together over a real database."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any

from sqlalchemy import text

from smartapp.consent.grants.model import Grant, GrantState, Terms
from smartapp.consent.grants.service import Grants
from smartapp.consent.scopes.grammar import parse
from smartapp.db.engine import make_engine
from smartapp.db.unit import Database
from smartapp.identity.apps.model import App, AppMetadata, AppState, AuthMethod
from smartapp.identity.apps.service import Apps
from smartapp.identity.model import PatientKey, PrincipalKind
from smartapp.ids import new_id
from smartapp.security.keyring import Keyring
from smartapp.settings import Apps as Limits
from smartapp.settings import Database as DatabaseSettings
from smartapp.tokens.apps.model import CodeFacts, Issued
from smartapp.tokens.apps.service import AppTokens
from tests.access.house import House
from tests.support.clock import FixedClock

PROVIDER = "st-elsewhere"
OTHER = "st-mercy"
ANA = PatientKey(PROVIDER, "ana-canary")
REDIRECT = "https://app.example/callback"
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
READ = "patient/ImagingStudy.rs"
SCOPE = f"launch/patient openid offline_access patient/DiagnosticReport.rs {READ}"


def metadata(method: AuthMethod = "none", **changed: Any) -> AppMetadata:
    said = AppMetadata(
        client_name="An app",
        redirect_uris=(REDIRECT, "https://other.example/callback"),
        grant_types=("authorization_code", "refresh_token"),
        token_endpoint_auth_method=method,
        scope=SCOPE,
        contacts=("dev@app.example",),
    )
    return replace(said, **changed)


@dataclass
class AppHouse:
    """One worker. `another()` is a second one on the same database, with memory and connections of its own."""

    url: str
    keyring: Keyring
    clock: FixedClock = field(default_factory=FixedClock)
    limits: Limits = field(default_factory=Limits)
    patience: float = 20

    @cached_property
    def database(self) -> Database:
        return Database(make_engine(DatabaseSettings(self.url, lock_timeout=self.patience)))

    @cached_property
    def house(self) -> House:
        return House(self.database, self.keyring, self.clock)

    @cached_property
    def apps(self) -> Apps:
        return Apps(self.database, self.keyring, self.house.audit, self.clock)

    @cached_property
    def grants(self) -> Grants:
        return Grants(self.keyring, self.house.datakeys, self.clock)

    @cached_property
    def tokens(self) -> AppTokens:
        house = self.house
        return AppTokens(
            self.limits, self.database, self.keyring, self.grants, self.apps, house.identity, house.audit, self.clock
        )

    @contextmanager
    def another(self) -> Iterator["AppHouse"]:
        house = AppHouse(self.url, self.keyring, self.clock, self.limits)
        yield house
        house.close()

    def close(self) -> None:
        self.database.engine.dispose()

    def app(self, method: AuthMethod = "none", state: AppState = AppState.ACTIVE, provider: str = PROVIDER) -> App:
        return self.apps.register(metadata(method), provider=provider, state=state).app

    def grant(self, app: App, **changed: Any) -> Grant:
        """A grant in its first version, kept."""
        now = self.clock.now()
        grant = Grant(
            id=new_id("grt"),
            provider=app.provider,
            client_id=app.client_id,
            patient=PatientKey(app.provider, ANA.patient_id),
            person_id="per-ana",
            granted_by=PrincipalKind.PATIENT,
            version=1,
            state=GrantState.ACTIVE,
            terms=Terms(scopes=parse(SCOPE)),
            credential_id="cred-ana",
            fhir_user="Patient/ana-canary",
            session_id=None,
            approved_at=now,
            changed_at=now,
        )
        grant = replace(grant, **changed)
        with self.database.write() as session:
            self.grants.put(session, grant, kind="approved", by="patient")
        return grant

    def found(self, grant: Grant) -> Grant:
        with self.database.read() as session:
            found = self.grants.find(session, grant.id)
        assert found is not None
        return found

    def move(self, grant: Grant, state: GrantState) -> None:
        with self.database.write() as session:
            assert self.grants.set_state(session, grant.id, state, kind=state.value, by="patient")

    def code(self, grant: Grant, scope: str = SCOPE, **changed: Any) -> str:
        facts = CodeFacts(grant.client_id, grant.id, REDIRECT, CHALLENGE, scope, nonce="n-1")
        with self.database.write() as session:
            return self.tokens.issue_code(session, grant.provider, replace(facts, **changed))

    def redeem(self, code: str, client_id: str, **changed: str) -> Issued:
        shown = {"client_id": client_id, "redirect_uri": REDIRECT, "verifier": VERIFIER, **changed}
        provider = shown.pop("provider", PROVIDER)
        return self.tokens.redeem(provider, code, **shown, request_id="req-1")

    def refresh(self, token: str | None, client_id: str | None = None, provider: str = PROVIDER) -> Issued:
        return self.tokens.refresh(
            provider, token or "", client_id=client_id, narrow=lambda granted: granted, request_id="req-2"
        )

    def issued(self, scope: str = SCOPE, app: App | None = None, **changed: Any) -> Issued:
        """The first tokens under a new grant."""
        grant = self.grant(app or self.app(), **changed)
        return self.redeem(self.code(grant, scope), grant.client_id)

    def kinds(self, *, severity: str | None = None) -> list[str]:
        """The kinds of the audit rows that speak of tokens, in their order."""
        query = "SELECT kind, severity FROM audit_events ORDER BY seq"
        with self.database.read() as session:
            found = session.execute(text(query)).all()
        told = ("oauth", "token", "client", "dcr", "app.")
        return [kind for kind, weight in found if kind.startswith(told) and severity in {None, weight}]

    def count(self, table: str) -> int:
        with self.database.read() as session:
            return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 -- by tests

    def history(self, grant_id: str) -> list[str]:
        with self.database.read() as session:
            return [event.kind for event in self.grants.events(session, grant_id)]

    def later(self, **span: float) -> datetime:
        return self.clock.now() + timedelta(**span)
