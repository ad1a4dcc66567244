"""What apps are handed for a code, and what it is worth at each request: never decided from memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy.orm import Session

from smartapp.audit.model import Event, Severity
from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.consent.aliases import alias
from smartapp.consent.grants.model import LIVING, Grant, GrantState
from smartapp.consent.grants.service import Grants
from smartapp.consent.model import AppPrincipal
from smartapp.consent.scopes.grammar import parse
from smartapp.db.unit import Database
from smartapp.errors import (
    CodeRefused,
    GrantHeld,
    NotSignedIn,
    PermitEnded,
    RefreshRefused,
    ScopeMissing,
    TokenOfAnother,
)
from smartapp.identity.apps.model import App, AppState
from smartapp.identity.apps.service import Apps
from smartapp.identity.model import PrincipalKind
from smartapp.security.keyring import Keyring
from smartapp.settings import Apps as Limits
from smartapp.tokens.apps import codes, store
from smartapp.tokens.apps.access import AccessTokens, Handed
from smartapp.tokens.apps.assertions import Assertions
from smartapp.tokens.apps.codes import Codes, Shown
from smartapp.tokens.apps.families import Families, Place
from smartapp.tokens.apps.model import CodeFacts, Family, Issued, TokenState
from smartapp.tokens.apps.sealed import TokenSeal
from smartapp.tokens.apps.secrets import Secrets
from smartapp.tokens.apps.store import StoredAccess, StoredFamily

__all__ = ["AppTokens", "CodeFacts", "Family", "Issued", "TokenState"]

_NO_PATIENT: Final = "no-patient"


class SessionLiveness(Protocol):
    """Tells whether browser sessions live (`identity.service.Identity`)."""

    def require_live(self, session_id: str) -> None:
        """Raises PermitEnded unless it does."""
        ...


@dataclass(frozen=True)
class _Refused:
    """A no, to be written down in the transaction that made it, and raised after it."""

    kind: str
    severity: Severity = "info"
    client_id: str = ""
    grant: Grant | None = None
    detail: dict[str, str] = field(default_factory=dict)


class AppTokens:
    """Codes, tokens and assertions of apps. One per process; safe to share by threads, workers and restarts.

    Everything counts at one provider only. Every refusal is written down before it is raised.
    """

    def __init__(
        self,
        limits: Limits,
        database: Database,
        keyring: Keyring,
        grants: Grants,
        apps: Apps,
        sessions: SessionLiveness,
        audit: AuditTrail,
        clock: Clock,
    ) -> None:
        secrets, seal = Secrets(keyring), TokenSeal(keyring)
        self._secrets = secrets
        self._codes = Codes(secrets, seal)
        self._families = Families(secrets, seal, limits)
        self._access = AccessTokens(secrets, seal, limits)
        self._assertions = Assertions(keyring)
        self._database = database
        self._keyring = keyring
        self._grants = grants
        self._apps = apps
        self._sessions = sessions
        self._audit = audit
        self._clock = clock

    def issue_code(self, session: Session, provider: str, facts: CodeFacts) -> str:
        """An authorization code, within the caller's write: it counts once, within a minute, for that client,
        redirect URI and challenge. ValueError for facts without a challenge.
        """
        return self._codes.issue(session, provider, facts, self._clock.now())

    def redeem(
        self, provider: str, code: str, *, client_id: str, redirect_uri: str, verifier: str, request_id: str
    ) -> Issued:
        """The tokens that a code buys, to one caller ever. `client_id` is the client as it was authenticated.

        Raises CodeRefused. An unknown code consumes nothing; any other is used up by being shown, whatever is wrong
        beside it; shown again, what it had bought dies.
        """

        def work(session: Session) -> Issued | _Refused:
            now = self._clock.now()
            shown = self._codes.take(
                session, provider, code, now, client_id=client_id, redirect_uri=redirect_uri, verifier=verifier
            )
            if shown is None:
                outcome: Issued | _Refused = _Refused("oauth.code.unknown", client_id=client_id)
            else:
                outcome = self._buy(session, provider, shown, now)
            self._record(session, provider, outcome, "authorization_code", request_id)
            return outcome

        outcome = self._database.run(work)
        if isinstance(outcome, _Refused):
            raise CodeRefused(outcome.kind)
        return outcome

    def refresh(
        self, provider: str, token: str, *, client_id: str | None, narrow: Callable[[str], str], request_id: str
    ) -> Issued:
        """The next tokens of a family (RFC 6749 §6). `client_id` is None when the client did not say who it is, which
        only public clients may.

        `narrow` is given the scope that was granted and gives that of the new access token; what it raises is passed
        on, and nothing is consumed. It is called within a write: it must not write. Raises RefreshRefused.
        """

        def work(session: Session) -> Issued | _Refused:
            outcome = self._next(session, provider, token, client_id, narrow)
            self._record(session, provider, outcome, "refresh_token", request_id)
            return outcome

        outcome = self._database.run(work)
        if isinstance(outcome, _Refused):
            raise RefreshRefused(outcome.kind)
        return outcome

    def issue_for_backend(self, app: App, scope: str, *, request_id: str) -> Issued:
        """A token for a client that acts for itself, for at most 300 seconds, with nothing to refresh it."""

        def work(session: Session) -> Issued:
            now = self._clock.now()
            handed = self._access.issue_for_backend(session, app.provider, app.client_id, scope, now)
            issued = Issued(handed.raw, handed.seconds, scope)
            detail = {"client": app.client_id, "with": "client_credentials"}
            event = Event("token.issued", provider=app.provider, detail=detail, request_id=request_id)
            self._audit.record(event, session=session)
            return issued

        return self._database.run(work)

    def lookup(self, provider: str, raw: str) -> AppPrincipal:
        """Who asks with this access token. The use of the grant is written down, at most once a minute.

        NotSignedIn when it, its family, grant, app or browser session is unknown or over; GrantHeld while the grant
        serves nothing for now; ScopeMissing for a backend client's, which stands for no patient.
        """
        now = self._clock.now()
        with self._database.read() as session:
            row = self._access.find(session, provider, raw, now)
            if row is None or not self._is_active(session, provider, row.client_id):
                raise NotSignedIn("token")
            if row.family_id is None:
                raise ScopeMissing(_NO_PATIENT)
            found = self._alive(session, row.family_id, now)
        if found is None:
            raise NotSignedIn("token")
        family, grant = found
        if grant.state is not GrantState.ACTIVE:
            raise GrantHeld(grant.state)
        if self._grants.stale(grant, now):
            self._database.run(lambda writer: self._grants.touch(writer, grant.id, now))
        return self._principal(row, family, grant)

    def introspect(self, provider: str, raw: str) -> TokenState | None:
        """What a token is good for now (RFC 7662 §2.2); None when that is nothing, as while its grant is held."""
        now = self._clock.now()
        with self._database.read() as session:
            if self._secrets.kind(raw) == "srt":
                return self._refresh_state(session, provider, raw, now)
            row = self._access.find(session, provider, raw, now)
            if row is None or not self._is_active(session, provider, row.client_id):
                return None
            found = self._alive(session, row.family_id, now) if row.family_id else None
        state = TokenState("access", row.client_id, self._access.scope(row), row.issued_at, row.expires_at)
        if row.family_id is None:
            return state
        if found is None or found[1].state is not GrantState.ACTIVE:
            return None
        family, grant = found
        return TokenState(**{**vars(state), "family": family, "grant": grant})

    def revoke(self, provider: str, raw: str, *, client_id: str, request_id: str) -> None:
        """Ends a token, and with it its whole family (RFC 7009 §2.1): streams under it break off.

        `client_id` is the client as it was authenticated: TokenOfAnother, and nothing ends, when the token is not its
        own. An unknown one is nothing to do.
        """

        def work(session: Session) -> bool:
            now = self._clock.now()
            row = self._access.find(session, provider, raw, now)
            spent = store.refresh(session, self._secrets.ref(provider, raw))
            family_id = spent[0] if spent else row.family_id if row else None
            family = store.family(session, family_id) if family_id else None
            owner = family.client_id if family else row.client_id if row else client_id
            if owner != client_id:
                refused = _Refused("oauth.revoke.client_mismatch", "high", client_id)
                self._record_refusal(session, provider, refused, request_id)
                return False
            if family is not None and store.end_family(session, family.id, now, "revoked"):
                self._record_revocation(session, provider, client_id, family, request_id)
            elif family is None and row is not None:
                store.remove_access(session, row.token_ref)
                self._record_revocation(session, provider, client_id, None, request_id)
            return True

        if not self._database.run(work):
            raise TokenOfAnother

    def end_grant(self, session: Session, grant_id: str, why: str) -> None:
        """Ends every family of a grant and burns its codes, within the caller's write. `why` is a code."""
        now = self._clock.now()
        store.end_of_grant(session, grant_id, now, why)
        store.burn_codes(session, grant_id, now)

    def end_session(self, session: Session, session_id: str) -> None:
        """Ends the families that live in a browser session, within the caller's write."""
        store.end_of_session(session, session_id, self._clock.now(), "session")

    def require_live(self, principal: AppPrincipal) -> None:
        """Raises PermitEnded unless the family lives, the grant is active in the version that the principal was made
        from, and the app is active: three or four indexed reads.
        """
        now = self._clock.now()
        with self._database.read() as session:
            family = store.family(session, principal.context_id)
            standing = self._grants.standing(session, principal.grant_id)
            active = self._is_active(session, principal.patient.provider, principal.client_id)
        if family is None or standing is None or not active:
            raise PermitEnded
        if standing.state is not GrantState.ACTIVE or standing.version != principal.grant_version:
            raise PermitEnded
        if not self._counts(family, now):
            raise PermitEnded

    def first_use(self, client_id: str, jti: str, until: datetime, *, request_id: str, provider: str = "") -> bool:
        """True exactly once for an assertion's `jti`, which is kept until `until` (UTC): its `exp` and the leeway."""

        def work(session: Session) -> bool:
            if self._assertions.first_use(session, client_id, jti, until, self._clock.now()):
                return True
            refused = _Refused("client.auth.jti_replay", "high", client_id)
            self._record_refusal(session, provider, refused, request_id)
            return False

        return self._database.run(work)

    def _buy(self, session: Session, provider: str, shown: Shown, now: datetime) -> Issued | _Refused:
        facts = shown.facts
        grant = self._grants.find(session, facts.grant_id)
        fault = codes.fault(shown, now)
        if fault is not None:
            if not shown.first:
                self._stop(session, shown.family_id, facts.grant_id, "replay")
            return _Refused(fault.kind, fault.severity, shown.client_id, grant)
        if grant is None or not self._may_have(session, provider, facts.client_id, grant, now):
            return _Refused("oauth.code.dead_grant", client_id=shown.client_id, grant=grant)
        family, token = self._families.open(session, provider, shown.family_id, facts, grant, now)
        if not self._session_lives(family.session_id):
            store.end_family(session, family.id, now, "session")
            return _Refused("oauth.code.dead_grant", client_id=shown.client_id, grant=grant)
        store.keep_code(session, shown.code_ref, family.expires_at)
        handed = self._access.issue(session, provider, family, family.scope, grant.expires_at, now)
        return _issued(handed, family.scope, token, family, grant)

    def _next(
        self, session: Session, provider: str, token: str, client_id: str | None, narrow: Callable[[str], str]
    ) -> Issued | _Refused:
        now = self._clock.now()
        known = None
        if self._secrets.kind(token) == "srt":
            known = store.refresh(session, self._secrets.ref(provider, token))
        row = store.locked_family(session, known[0]) if known else None
        if known is None or row is None:
            return _Refused("oauth.refresh.unknown", client_id=client_id or "")
        grant = self._grants.find(session, row.grant_id)
        refused = self._not_for(session, row, client_id, grant, now)
        if refused is not None or grant is None:
            return refused or _Refused("oauth.refresh.dead_grant", client_id=row.client_id)
        place = self._families.place(row, known[1], now)
        if place is Place.SPENT:
            self._stop(session, row.id, row.grant_id, "reuse")
            return _Refused("oauth.refresh.reuse", "high", row.client_id, grant)
        scope = narrow(self._families.family(row).scope)
        if place is Place.NEWEST:
            family, token = self._families.rotate(session, row, now)
        else:
            family, token = self._families.family(row), self._families.newest(row)
        handed = self._access.issue(session, provider, family, scope, grant.expires_at, now)
        return _issued(handed, scope, token, family, grant)

    def _not_for(
        self, session: Session, row: StoredFamily, client_id: str | None, grant: Grant | None, now: datetime
    ) -> _Refused | None:
        """Who asks, and whether there is anything to ask for. Another client's try leaves the family as it is."""
        app = self._apps.find(row.provider, row.client_id, session=session)
        named = row.client_id if client_id is None and app is not None and not app.confidential else client_id
        if app is not None and named != row.client_id:
            detail = {"family_of": row.client_id}
            return _Refused("oauth.refresh.client_mismatch", "high", client_id or "", grant, detail)
        allowed = grant is not None and self._may_have(session, row.provider, row.client_id, grant, now)
        if not allowed or not self._counts(row, now):
            return _Refused("oauth.refresh.dead_grant", client_id=row.client_id, grant=grant)
        return None

    def _refresh_state(self, session: Session, provider: str, raw: str, now: datetime) -> TokenState | None:
        known = store.refresh(session, self._secrets.ref(provider, raw))
        row = store.family(session, known[0]) if known else None
        if known is None or row is None or self._families.place(row, known[1], now) is Place.SPENT:
            return None
        found = self._alive(session, row.id, now)
        if found is None or not self._is_active(session, provider, row.client_id):
            return None
        family, grant = found
        return TokenState("refresh", row.client_id, family.scope, row.rotated_at, row.expires_at, family, grant)

    def _alive(self, session: Session, family_id: str, now: datetime) -> tuple[Family, Grant] | None:
        """The family and its grant, served or held, unless one of them is over."""
        row = store.family(session, family_id)
        if row is None or not self._counts(row, now):
            return None
        grant = self._grants.find(session, row.grant_id)
        if grant is None or grant.state_at(now) not in LIVING:
            return None
        return self._families.family(row), grant

    def _counts(self, row: StoredFamily, now: datetime) -> bool:
        return row.ended_at is None and now < row.expires_at and self._session_lives(row.session_id)

    def _may_have(self, session: Session, provider: str, client_id: str, grant: Grant, now: datetime) -> bool:
        return grant.state_at(now) in LIVING and self._is_active(session, provider, client_id)

    def _is_active(self, session: Session, provider: str, client_id: str) -> bool:
        return self._apps.state(session, provider, client_id) is AppState.ACTIVE

    def _session_lives(self, session_id: str | None) -> bool:
        if session_id is None:
            return True
        try:
            self._sessions.require_live(session_id)
        except PermitEnded:
            return False
        return True

    def _stop(self, session: Session, family_id: str, grant_id: str, why: str) -> None:
        """A thief or a fault: all tokens of that line are dead, and the patient can read it in the grant's history."""
        if store.end_family(session, family_id, self._clock.now(), why):
            self._grants.note(session, grant_id, kind="tokens-stopped", by="us")

    def shown(self, grant: Grant) -> Callable[[str], str]:
        """How apps are shown UIDs under this grant: as they are, or by their aliases."""
        key = self._alias_key(grant)
        return (lambda uid: alias(key, uid)) if key else (lambda uid: uid)

    def _alias_key(self, grant: Grant) -> str | None:
        masked = grant.terms.images == "deidentified"
        return self._keyring.mac("grant.alias", grant.id) if masked else None

    def _principal(self, row: StoredAccess, family: Family, grant: Grant) -> AppPrincipal:
        return AppPrincipal(
            kind=PrincipalKind.APP,
            person_id=grant.person_id,
            session_id=grant.id,
            context_id=family.id,
            patient=grant.patient,
            credential_id=grant.credential_id,
            expires_at=min(family.expires_at, grant.expires_at or family.expires_at),
            client_id=family.client_id,
            grant_id=grant.id,
            scopes=parse(self._access.scope(row)),
            terms=grant.terms,
            grant_version=grant.version,
            alias_key=self._alias_key(grant),
        )

    def _record(self, session: Session, provider: str, outcome: Issued | _Refused, with_: str, request_id: str) -> None:
        """Last in its transaction: on PostgreSQL the trail's writers wait for each other until they commit."""
        if isinstance(outcome, _Refused):
            self._record_refusal(session, provider, outcome, request_id)
            return
        family, grant = outcome.family, outcome.grant
        assert family is not None  # noqa: S101 -- only backend clients have none
        assert grant is not None  # noqa: S101 -- as above
        detail = {"client": family.client_id, "with": with_, "family": family.id, "number": str(family.number)}
        self._audit.record(
            Event(
                "token.issued",
                patient=grant.patient,
                principal_ref=grant.person_id,
                session_ref=grant.id,
                detail=detail,
                request_id=request_id,
            ),
            session=session,
        )

    def _record_refusal(self, session: Session, provider: str, refused: _Refused, request_id: str) -> None:
        grant = refused.grant
        event = Event(
            refused.kind,
            refused.severity,
            patient=grant.patient if grant else None,
            principal_ref=grant.person_id if grant else "",
            session_ref=grant.id if grant else "",
            detail={"client": refused.client_id[:64], **refused.detail},
            request_id=request_id,
            provider=provider,
        )
        self._audit.record(event, session=session)

    def _record_revocation(
        self, session: Session, provider: str, client_id: str, family: StoredFamily | None, request_id: str
    ) -> None:
        grant = self._grants.find(session, family.grant_id) if family else None
        self._record_refusal(session, provider, _Refused("oauth.revoke", "info", client_id, grant), request_id)


def _issued(handed: Handed, scope: str, token: str | None, family: Family, grant: Grant) -> Issued:
    return Issued(handed.raw, handed.seconds, scope, token, family, grant)
