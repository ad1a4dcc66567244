"""What apps are handed for a code, and what it is worth at each request: never decided from memory."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from sqlalchemy.orm import Session

from smartapp.audit.model import Severity
from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.consent.grants.model import Grant
from smartapp.consent.grants.service import Grants
from smartapp.consent.principal import AppPrincipal
from smartapp.db.unit import Database
from smartapp.errors import AuditUnavailable, CodeRefused, DatabaseBusy, PermitEnded, RefreshRefused, TokenOfAnother
from smartapp.identity.apps.model import App
from smartapp.identity.apps.service import Apps
from smartapp.security.keyring import Keyring
from smartapp.settings import Apps as Limits
from smartapp.tokens.apps import looking, redeeming, refreshing, revoking, store
from smartapp.tokens.apps.assertions import Assertions
from smartapp.tokens.apps.liveness import SessionLiveness
from smartapp.tokens.apps.looking import NoContext, TokenOver
from smartapp.tokens.apps.model import CodeFacts, Family, Issued, TokenState
from smartapp.tokens.apps.tools import Tools
from smartapp.tokens.apps.trail import Refused

__all__ = ["AppTokens", "CodeFacts", "Family", "Issued", "TokenState"]


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
        self._tools = Tools.of(limits, keyring, grants, apps, sessions, audit, clock)
        self._assertions = Assertions(keyring)
        self._database = database
        self._when_stopped: list[Callable[[Session, Grant], None]] = []

    def when_stopped(self, work: Callable[[Session, Grant], None]) -> None:
        """From now on `work(session, grant)` is done within the write that ends a line of tokens because one of them
        was used twice: whoever gave the grant is to learn of it. Said once, when the house is built.
        """
        self._when_stopped.append(work)

    def issue_code(self, session: Session, provider: str, facts: CodeFacts) -> str:
        """An authorization code, within the caller's write: it counts once, within a minute, for that client,
        redirect URI and challenge. ValueError for facts without a challenge.
        """
        return self._tools.codes.issue(session, provider, facts, self._tools.clock.now())

    def redeem(
        self, provider: str, code: str, *, client_id: str, redirect_uri: str, verifier: str, request_id: str
    ) -> Issued:
        """The tokens that a code buys, to one caller ever. `client_id` is the client as it was authenticated.

        Raises CodeRefused. An unknown code consumes nothing; any other is used up by being shown, whatever is wrong
        beside it; shown again, what it had bought dies.
        """

        def work(session: Session) -> Issued | Refused:
            outcome = redeeming.redeem(
                self._tools,
                session,
                provider,
                code,
                client_id=client_id,
                redirect_uri=redirect_uri,
                verifier=verifier,
            )
            self._record(session, provider, outcome, "authorization_code", request_id)
            return outcome

        outcome = self._database.run(work)
        if isinstance(outcome, Refused):
            raise CodeRefused(outcome.kind)
        return outcome

    def refresh(
        self, provider: str, token: str, *, client_id: str | None, narrow: Callable[[str], str], request_id: str
    ) -> Issued:
        """The next tokens of a family (RFC 6749 §6). `client_id` is None when the client did not say who it is, which
        only public clients need not.

        `narrow` is given the most that may be granted now, and gives the scope of the new access token; what it raises
        is passed on, and nothing is consumed. It is called within a write: it must not write. Raises RefreshRefused.
        """

        def work(session: Session) -> Issued | Refused:
            outcome = refreshing.refresh(self._tools, session, provider, token, client_id, narrow)
            self._record(session, provider, outcome, "refresh_token", request_id)
            return outcome

        outcome = self._database.run(work)
        if isinstance(outcome, Refused):
            raise RefreshRefused(outcome.kind)
        return outcome

    def issue_for_backend(self, app: App, scope: str, *, request_id: str) -> Issued:
        """A token for a client that acts for itself, for at most 300 seconds, with nothing to refresh it."""
        tools, now = self._tools, self._tools.clock.now()

        def work(session: Session) -> Issued:
            handed = tools.access.issue_for_backend(session, app.provider, app.client_id, scope, now)
            tools.trail.issued_for_backend(session, app.provider, app.client_id, request_id)
            return Issued(handed.raw, handed.seconds, scope)

        return self._database.run(work)

    def lookup(self, provider: str, raw: str, *, request_id: str = "") -> AppPrincipal:
        """Who asks with this access token. The use of the grant is written down, at most once a minute; that of a token
        that is over for good once, and then it is forgotten.

        NotSignedIn when it, its family, grant, app or browser session is unknown or over; GrantHeld while the grant
        serves nothing for now; ScopeMissing for a backend client's, which stands for no patient.
        """
        grants, now = self._tools.grants, self._tools.clock.now()
        try:
            principal, grant = looking.look_up(self._tools, self._database, provider, raw, now)
        except TokenOver as over:
            self._forget(provider, over, request_id)
            raise
        except NoContext as lacking:
            self._tell_lacking(provider, lacking, request_id)
            raise
        if grants.stale(grant, now):
            self._database.run(lambda writer: grants.touch(writer, grant.id, now))
        return principal

    def knows(self, provider: str, raw: str) -> bool:
        """Whether a text is a code or token that was handed out at this provider, good for something or not. It is not
        for deciding anything: what is over may be forgotten already.
        """
        return looking.knows(self._tools, self._database, provider, raw)

    def introspect(self, provider: str, raw: str) -> TokenState | None:
        """What a token is good for now (RFC 7662 §2.2); None when that is nothing, as an access token's while its grant
        is held.
        """
        return looking.state(self._tools, self._database, provider, raw, self._tools.clock.now())

    def revoke(self, provider: str, raw: str, *, client_id: str, request_id: str) -> None:
        """Ends a token, and with it its whole family (RFC 7009 §2.1): streams under it break off.

        `client_id` is the client as it was authenticated: TokenOfAnother, and nothing ends, when the token is not its
        own. An unknown one is nothing to do.
        """

        def work(session: Session) -> Refused | None:
            refused = revoking.revoke(self._tools, session, provider, raw, client_id, request_id)
            if refused is not None:
                self._tools.trail.refused(session, provider, refused, request_id)
            return refused

        if self._database.run(work) is not None:
            raise TokenOfAnother

    def end_grant(self, session: Session, grant_id: str, why: str) -> None:
        """Ends every family of a grant and burns its codes, within the caller's write. `why` is a code."""
        now = self._tools.clock.now()
        store.end_of_grant(session, grant_id, now, why)
        store.burn_codes(session, grant_id, now)

    def end_all(self, session: Session, why: str) -> None:
        """Ends every family and burns every code, of all apps, within the caller's write; tokens of backend clients are
        forgotten. `why` is a code.
        """
        store.end_all(session, self._tools.clock.now(), why)

    def end_session(self, session: Session, session_id: str) -> None:
        """Ends the families that live in a browser session, within the caller's write."""
        store.end_of_session(session, session_id, self._tools.clock.now(), "session")

    def require_live(self, principal: AppPrincipal) -> None:
        """Raises PermitEnded unless the family lives, the grant is active in the version that the principal was made
        from, and the app is active: three or four indexed reads.
        """
        if not self._tools.liveness.serves(self._database, principal, self._tools.clock.now()):
            raise PermitEnded

    def first_use(self, provider: str, client_id: str, jti: str, until: datetime, *, request_id: str) -> bool:
        """True exactly once for the `jti` of a client's assertion at a provider (RFC 7523 §3, item 7); it is kept until
        `until` (UTC): its `exp` and the leeway. False is written down first.
        """
        tools = self._tools

        def work(session: Session) -> bool:
            if self._assertions.first_use(session, provider, client_id, jti, until, tools.clock.now()):
                return True
            tools.trail.refused(session, provider, Refused("client.auth.jti_replay", "high", client_id), request_id)
            return False

        return self._database.run(work)

    def first_registration(self, token: str, until: datetime) -> bool:
        """True exactly once for an initial access token (RFC 7591 §3), whichever the provider; kept until `until`."""
        now = self._tools.clock.now()
        return self._database.run(lambda session: self._assertions.first_registration(session, token, until, now))

    def tidy(self) -> None:
        """Removes what is over, in small transactions."""
        now = self._tools.clock.now()
        while self._database.run(lambda session: store.clear(session, now)):
            pass

    def shown(self, grant: Grant) -> Callable[[str], str]:
        """How apps are shown UIDs under this grant: as they are, or by their aliases."""
        return self._tools.masks.shown(grant)

    def _forget(self, provider: str, over: TokenOver, request_id: str) -> None:
        """Where that cannot be written now, the token is refused all the same, and written when it comes again."""
        with suppress(DatabaseBusy, AuditUnavailable):
            self._database.run(lambda session: looking.forget(self._tools, session, provider, over, request_id))

    def _tell_lacking(self, provider: str, lacking: NoContext, request_id: str) -> None:
        """A no that changes nothing; AuditUnavailable where it cannot be written down."""
        severity: Severity = "high" if lacking.of_patients else "info"
        refused = Refused("authz.no_context", severity, lacking.client_id)
        self._database.run(lambda session: self._tools.trail.refused(session, provider, refused, request_id))

    def _record(self, session: Session, provider: str, outcome: Issued | Refused, by: str, request_id: str) -> None:
        trail = self._tools.trail
        if isinstance(outcome, Refused):
            if outcome.stopped and outcome.grant is not None:
                for work in self._when_stopped:
                    work(session, outcome.grant)
            trail.refused(session, provider, outcome, request_id)
        elif outcome.family is not None and outcome.grant is not None:
            trail.issued(session, provider, outcome.family, outcome.grant, by, request_id)
            if outcome.again:
                trail.raced(session, provider, outcome.family, outcome.grant, request_id)
