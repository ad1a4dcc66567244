"""Access tokens: opaque, short, and worth what their family and grant are worth at the moment of each request."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from smartapp.db.look import Reader
from smartapp.settings import Apps as Limits
from smartapp.tokens.apps import store
from smartapp.tokens.apps.model import Family
from smartapp.tokens.apps.sealed import TokenSeal
from smartapp.tokens.apps.secrets import Secrets
from smartapp.tokens.apps.store import StoredAccess

LONGEST: Final = timedelta(seconds=3600)
"""However the settings are (SMART App Launch 2.2, token response)."""
BACKEND: Final = timedelta(seconds=300)
"""SMART App Launch 2.2, backend services."""


@dataclass(frozen=True)
class Handed:
    """A token just made, and its life in whole seconds; never none, which some take for no end."""

    raw: str
    seconds: int


class AccessTokens:
    """Makes access tokens within the caller's write, and finds them."""

    def __init__(self, secrets: Secrets, seal: TokenSeal, limits: Limits) -> None:
        self._secrets = secrets
        self._seal = seal
        self._lifetime = min(timedelta(seconds=limits.access_lifetime), LONGEST)

    def issue(
        self, session: Session, provider: str, family: Family, scope: str, until: datetime | None, now: datetime
    ) -> Handed:
        """A token of a family, no longer than it and the grant (`until`) live."""
        ends = min(now + self._lifetime, family.expires_at, until or family.expires_at)
        return self._issue(session, provider, family.client_id, family.id, scope, ends, now)

    def issue_for_backend(self, session: Session, provider: str, client_id: str, scope: str, now: datetime) -> Handed:
        """A token of a client that acts for itself: five minutes at most, and nothing to refresh it with."""
        ends = now + min(self._lifetime, BACKEND)
        return self._issue(session, provider, client_id, None, scope, ends, now)

    def find(self, reader: Reader, provider: str, raw: str, now: datetime) -> StoredAccess | None:
        """The token, if it is one of this provider's and not over."""
        if self._secrets.kind(raw) != "sat":
            return None
        row = store.access(reader, self._secrets.ref(provider, raw))
        return row if row is not None and now < row.expires_at else None

    def scope(self, row: StoredAccess) -> str:
        """What it carries."""
        return self._seal.open_scope(row.token_ref, row.sealed)

    def _issue(
        self,
        session: Session,
        provider: str,
        client_id: str,
        family_id: str | None,
        scope: str,
        ends: datetime,
        now: datetime,
    ) -> Handed:
        raw = self._secrets.fresh("sat")
        ref = self._secrets.ref(provider, raw)
        row = StoredAccess(ref, client_id, family_id, self._seal.close_scope(ref, scope), now, ends)
        store.add_access(session, row)
        return Handed(raw, max(1, int((ends - now).total_seconds())))
