"""What the use-cases of grants work with, and the rules that they share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from smartapp.audit.model import Event, Severity
from smartapp.audit.service import AuditTrail
from smartapp.audit.usage import UsageReader
from smartapp.clock import Clock
from smartapp.consent.grants.model import LIVING, Grant, GrantState
from smartapp.consent.grants.service import Grants
from smartapp.db.unit import Database
from smartapp.errors import NotFound
from smartapp.exchange.alerts.service import Alerts
from smartapp.exchange.approvals.service import Approvals
from smartapp.exchange.credentials import Credentials
from smartapp.exchange.grants import dates, store
from smartapp.exchange.grants.owing import Owing
from smartapp.identity.apps.model import App, AppState
from smartapp.identity.apps.service import Apps
from smartapp.identity.model import Principal, PrincipalKind
from smartapp.identity.service import Identity
from smartapp.launch.keeper import TokenKeeper
from smartapp.records.service import Records
from smartapp.settings import Settings
from smartapp.tokens.apps.service import AppTokens
from smartapp.tokens.single_use import SingleUse

_PEOPLE: Final = frozenset({PrincipalKind.PATIENT, PrincipalKind.REPRESENTATIVE})


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What everybody needs who changes grants, people and jobs alike; and what is done in the same way everywhere."""

    settings: Settings
    clock: Clock
    database: Database
    apps: Apps
    grants: Grants
    tokens: AppTokens
    credentials: Credentials
    owing: Owing
    alerts: Alerts
    audit: AuditTrail

    @property
    def dormant_after(self) -> timedelta:
        """How long a grant may be unused before it rests."""
        return timedelta(days=self.settings.apps.dormant_after)

    def issuer(self, provider: str) -> str:
        """Our issuer for a provider (RFC 8414 §2)."""
        return f"{self.settings.server.base_url.rstrip('/')}/{provider}"

    def state_of(self, grant: Grant, app: App | None) -> GrantState:
        """Its state now: while the operator has suspended the app, that is it."""
        state = grant.state_at(self.clock.now())
        suspended = app is not None and app.state is AppState.SUSPENDED and state in LIVING
        return GrantState.SUSPENDED if suspended else state

    def plan(self, session: Session, grant: Grant, now: datetime) -> None:
        """Writes down the days of a grant that was approved, changed or woken now."""
        dates.plan(session, grant, now, self.dormant_after)

    def close(self, session: Session, grant: Grant, state: GrantState, *, kind: str, by: str, request_id: str) -> bool:
        """Makes a grant be over, within the caller's write: with it end its tokens and its Consent, from that moment.

        False when it was over before. The caller releases its credential afterwards.
        """
        if not self.grants.set_state(session, grant.id, state, kind=kind, by=by):
            return False
        self.tokens.end_grant(session, grant.id, kind)
        store.drop_dates(session, grant.id)
        self.owing.owe(session, grant)
        self.note(session, grant, f"grant.{kind}", by=by, request_id=request_id)
        return True

    def note(
        self,
        session: Session,
        grant: Grant,
        kind: str,
        *,
        by: str,
        request_id: str,
        session_id: str = "",
        severity: Severity = "info",
    ) -> None:
        """Writes the audit row of what happened to a grant, within the write that makes it happen."""
        detail = {"grant": grant.id, "client": grant.client_id, "version": str(grant.version), "by": by}
        row = Event(
            kind,
            severity,
            patient=grant.patient,
            principal_ref=grant.person_id,
            session_ref=session_id,
            detail=detail,
            request_id=request_id,
        )
        self.audit.record(row, session=session)

    def release(self, grants: Iterable[Grant]) -> None:
        """Gives back the credentials of grants that are over, unless somebody else holds them."""
        self.credentials.release(grant.credential_id for grant in grants)


@dataclass(frozen=True, kw_only=True)
class Desk(Ledger):
    """What the use-cases of people need besides."""

    identity: Identity
    records: Records
    keeper: TokenKeeper
    approvals: Approvals
    usage: UsageReader
    single_use: SingleUse

    def grant_of(self, session: Session, principal: Principal, grant_id: str) -> Grant:
        """A grant over the record that the principal has open. NotFound for any other, and for none."""
        grant = self.grants.find(session, grant_id)
        if grant is None or principal.kind not in _PEOPLE or grant.patient != principal.patient:
            raise NotFound
        return grant

    @staticmethod
    def event(principal: Principal, kind: str, detail: Mapping[str, str], request_id: str) -> Event:
        """What a person did that came to no grant."""
        return Event(
            kind,
            patient=principal.patient,
            principal_ref=principal.person_id,
            session_ref=principal.session_id,
            detail=detail,
            request_id=request_id,
        )
