"""The token that our own viewer's page holds in memory: one study, in one context, for five minutes."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from smartapp.clock import Clock
from smartapp.db.unit import Database
from smartapp.errors import NotSignedIn, PermitEnded
from smartapp.identity.model import Principal
from smartapp.identity.service import Identity
from smartapp.ids import new_secret
from smartapp.security.keyring import Keyring
from smartapp.tokens import store
from smartapp.tokens.store import StoredToken

LIFETIME: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class ViewerGrant:
    """What a viewer's token stands for."""

    principal: Principal
    study_uid: str


class ViewerTokens:
    """Issues and looks up viewer tokens. Only a keyed hash is stored; the token dies with its session and context."""

    def __init__(self, database: Database, keyring: Keyring, identity: Identity, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._identity = identity
        self._clock = clock

    def issue(self, principal: Principal, study_uid: str) -> tuple[str, int]:
        """A new token and its life in seconds. Raises PermitEnded when the session is over."""
        self._identity.require_live(principal.session_id)
        raw, now = new_secret("svt"), self._clock.now()
        ref = self._ref(raw)
        sealed = self._keyring.seal(study_uid.encode(), _aad(ref))
        row = StoredToken(ref, principal.session_id, principal.context_id, sealed, now + LIFETIME)
        with self._database.write() as session:
            store.add_token(session, row, now)
        return raw, int(LIFETIME.total_seconds())

    def lookup(self, raw: str) -> ViewerGrant:
        """Who asks with this token, and for which study. NotSignedIn when it, or its session, is unknown or over.

        Two indexed reads: the token, and whether its session lives (never from memory: sign-out holds at once).
        """
        ref = self._ref(raw)
        with self._database.read() as session:
            row = store.token(session, ref)
            if row is None or self._clock.now() >= row.expires_at:
                raise NotSignedIn("token")
            try:
                principal = self._identity.revive(session, row.session_id, row.context_id)
            except PermitEnded as error:
                raise NotSignedIn("token") from error
        return ViewerGrant(principal, self._keyring.open_(row.study, _aad(ref)).decode())

    def _ref(self, raw: str) -> str:
        return self._keyring.mac("tokens.viewer", raw)


def _aad(token_ref: str) -> bytes:
    return f"viewer-token\x1f{token_ref}".encode()
