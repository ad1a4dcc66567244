"""Client assertions count once (SMART App Launch 2.2, backend services; RFC 7523 §3): over workers and restarts."""

from datetime import datetime

from sqlalchemy.orm import Session

from smartapp.security.keyring import Keyring
from smartapp.tokens.apps import store


class Assertions:
    """Remembers the ids of assertions."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def first_use(self, session: Session, client_id: str, jti: str, until: datetime, now: datetime) -> bool:
        """Whether nobody has used this id of this client; from now until `until` (UTC) it is used."""
        named = len(client_id).to_bytes(4, "big") + f"{client_id}{jti}".encode("utf-8", "surrogatepass")
        return store.first_use(session, self._keyring.mac("tokens.app.jti", named), until, now)
