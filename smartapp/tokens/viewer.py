"""The token that a viewer's page holds in memory: one study (OHIF: the record), in one context, for five minutes."""

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
_ALL: Final = "*"
"""No UID: what is sealed for a token that reaches the whole record."""


@dataclass(frozen=True)
class ViewerGrant:
    """What a viewer's token stands for: one study, or with `study_uid` None every study of the principal's record."""

    principal: Principal
    study_uid: str | None

    def reaches(self, study_uid: str) -> bool:
        """Whether the study may be asked for with it. What the record holds is decided elsewhere, at each request."""
        return self.study_uid is None or self.study_uid == study_uid


class ViewerTokens:
    """Issues and looks up viewer tokens. Only a keyed hash is stored; the token dies with its session and context."""

    def __init__(self, database: Database, keyring: Keyring, identity: Identity, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._identity = identity
        self._clock = clock

    def issue(self, principal: Principal, study_uid: str | None) -> tuple[str, int]:
        """A new token, for one study or (None) the whole record, and its life in seconds.

        Raises PermitEnded when the session is over.
        """
        self._identity.require_live(principal.session_id)
        raw, now = new_secret("svt"), self._clock.now()
        ref = self._ref(raw)
        sealed = self._keyring.seal((_ALL if study_uid is None else study_uid).encode(), _aad(ref))
        row = StoredToken(ref, principal.session_id, principal.context_id, sealed, now + LIFETIME)
        with self._database.write() as session:
            store.add_token(session, row, now)
        return raw, int(LIFETIME.total_seconds())

    def lookup(self, raw: str) -> ViewerGrant:
        """Who asks with this token, and for what. NotSignedIn when it, or its session, is unknown or over.

        Two indexed reads: the token, and whether its session lives (never from memory: sign-out holds at once).
        """
        ref = self._ref(raw)
        row = store.token(self._database, ref)
        if row is None or self._clock.now() >= row.expires_at:
            raise NotSignedIn("token")
        try:
            principal = self._identity.revive(self._database, row.session_id, row.context_id)
        except PermitEnded as error:
            raise NotSignedIn("token") from error
        study = self._keyring.open_(row.study, _aad(ref)).decode()
        return ViewerGrant(principal, None if study == _ALL else study)

    def _ref(self, raw: str) -> str:
        return self._keyring.mac("tokens.viewer", raw)


def _aad(token_ref: str) -> bytes:
    return f"viewer-token\x1f{token_ref}".encode()
