"""Whether what stands behind a token still stands: read anew each time, from the database that all workers share."""

from datetime import datetime
from typing import Protocol

from smartapp.consent.grants.model import LIVING, Grant, GrantState
from smartapp.consent.grants.service import Grants
from smartapp.consent.principal import AppPrincipal
from smartapp.db.look import Reader
from smartapp.errors import PermitEnded
from smartapp.identity.apps.model import AppState
from smartapp.identity.apps.service import Apps
from smartapp.tokens.apps import store
from smartapp.tokens.apps.store import StoredFamily


class SessionLiveness(Protocol):
    """Tells whether browser sessions live (`identity.service.Identity`)."""

    def require_live(self, session_id: str) -> None:
        """Raises PermitEnded unless it does."""
        ...


class Liveness:
    """Asks the rooms that know."""

    def __init__(self, grants: Grants, apps: Apps, sessions: SessionLiveness) -> None:
        self._grants = grants
        self._apps = apps
        self._sessions = sessions

    def active(self, reader: Reader, provider: str, client_id: str) -> bool:
        """Whether the app may act: suspended, refused, pending and deleted ones may not."""
        return self.offered(reader, provider, client_id) is not None

    def offered(self, reader: Reader, provider: str, client_id: str) -> str | None:
        """The scope to which the operator limits an app that may act, empty without a limit; None where it may not."""
        found = self._apps.standing(reader, provider, client_id)
        return found.offered if found is not None and found.state is AppState.ACTIVE else None

    def may_have(self, reader: Reader, provider: str, client_id: str, grant: Grant | None, now: datetime) -> str | None:
        """As `offered`, for an app that is to be handed tokens of a grant: also while that serves nothing, but None
        once it is over.
        """
        living = grant is not None and grant.state_at(now) in LIVING
        return self.offered(reader, provider, client_id) if living else None

    def family(self, row: StoredFamily, now: datetime) -> bool:
        """Whether a family counts, with the browser session that it may live in."""
        return row.ended_at is None and now < row.expires_at and self.browser(row.session_id)

    def browser(self, session_id: str | None) -> bool:
        """Whether the browser session lives; True where none is asked for."""
        if session_id is None:
            return True
        try:
            self._sessions.require_live(session_id)
        except PermitEnded:
            return False
        return True

    def known(self, reader: Reader, family_id: str, now: datetime) -> tuple[StoredFamily, Grant] | None:
        """A family and its grant, served or held, unless one of them is over."""
        row = store.family(reader, family_id)
        if row is None or not self.family(row, now):
            return None
        grant = self._grants.find(reader, row.grant_id)
        return (row, grant) if grant is not None and grant.state_at(now) in LIVING else None

    def over_for_good(self, row: StoredFamily, grant: Grant | None, now: datetime) -> bool:
        """Whether a family can never count again. A suspended grant may be reinstated."""
        gone = grant is None or grant.state_at(now) in {GrantState.ENDED, GrantState.EXPIRED}
        return gone or not self.family(row, now)

    def serves(self, reader: Reader, principal: AppPrincipal, now: datetime) -> bool:
        """Whether an app that asks is still served, on the terms on which it began."""
        standing = self._grants.standing(reader, principal.grant_id)
        if standing is None or standing.state is not GrantState.ACTIVE or standing.version != principal.grant_version:
            return False
        row = store.family(reader, principal.context_id)
        return (
            row is not None
            and self.active(reader, principal.patient.provider, principal.client_id)
            and self.family(row, now)
        )
