"""What counts once, over workers and restarts: assertions (RFC 7523 §3), initial access tokens (RFC 7591 §3)."""

from datetime import datetime

from sqlalchemy.orm import Session

from smartapp.security.keyring import Keyring
from smartapp.tokens.apps import store


class Assertions:
    """Remembers that something was used, by a keyed hash of it."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def first_use(
        self, session: Session, provider: str, client_id: str, jti: str, until: datetime, now: datetime
    ) -> bool:
        """Whether nobody has used this id of this provider's client; from now until `until` (UTC) it is used."""
        return self._first(session, "tokens.app.jti", (provider, client_id, jti), until, now)

    def first_registration(self, session: Session, token: str, until: datetime, now: datetime) -> bool:
        """The same for an initial access token, which counts once at all providers together."""
        return self._first(session, "tokens.app.initial", (token,), until, now)

    def _first(self, session: Session, purpose: str, named: tuple[str, ...], until: datetime, now: datetime) -> bool:
        """Each part with its length, so that no two lists are the same bytes."""
        parts = [each.encode("utf-8", "surrogatepass") for each in named]
        joined = b"".join(len(each).to_bytes(4, "big") + each for each in parts)
        return store.first_use(session, self._keyring.mac(purpose, joined), until, now)
