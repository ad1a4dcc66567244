"""Values that count once: pending launches, one-time codes."""

from datetime import timedelta

from sqlalchemy.orm import Session

from smartapp.clock import Clock
from smartapp.db.unit import Database
from smartapp.security.keyring import Keyring
from smartapp.tokens import store


class SingleUse:
    """Keeps values until they are taken or over. Safe over any number of threads, workers and restarts."""

    def __init__(self, database: Database, keyring: Keyring, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock

    def put(self, kind: str, raw: str, ttl: float, payload: bytes) -> None:
        """Keeps `payload`, sealed, for `ttl` seconds, to be taken once by whoever knows `raw`.

        `raw` is a fresh secret: a value that is already kept is sqlalchemy's IntegrityError, and changes nothing.
        """
        ref, now = self._ref(kind, raw), self._clock.now()
        sealed = self._keyring.seal(payload, _aad(ref))
        with self._database.write() as session:
            store.put(session, ref, sealed, now + timedelta(seconds=ttl), now)

    def take(self, kind: str, raw: str) -> bytes | None:
        """The payload, to exactly one caller; None when it was taken, is over, or never was."""
        ref = self._ref(kind, raw)
        with self._database.write() as session:
            sealed = store.take(session, ref, self._clock.now())
        return None if sealed is None else self._keyring.open_(sealed, _aad(ref))

    def forget_all(self, session: Session) -> None:
        """No value that waits may be taken any more, within the caller's write."""
        store.forget_all(session)

    def _ref(self, kind: str, raw: str) -> str:
        return self._keyring.mac(f"tokens.single-use.{kind}", raw)


def _aad(value_ref: str) -> bytes:
    return f"single-use\x1f{value_ref}".encode()
