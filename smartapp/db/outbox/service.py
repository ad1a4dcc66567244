"""Puts things to do beside what caused them, and hands each to one worker at a time until it is done or given up."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from smartapp.clock import Clock
from smartapp.db.outbox import store
from smartapp.db.outbox.store import StoredEntry, Waiting
from smartapp.db.unit import Database
from smartapp.ids import new_id
from smartapp.security.envelope import IntegrityError
from smartapp.security.keyring import Keyring

__all__ = ["Entry", "Outbox", "Waiting"]

LEASE: Final = timedelta(minutes=5)
"""How long a claim holds: longer than any one attempt may take, or two workers would do the same."""
GIVE_UP_AFTER: Final = timedelta(days=3)
"""As mail servers do (RFC 5321 §4.5.4.1: four to five days at most)."""
_FIRST_DELAY: Final = 10.0
_LONGEST_DELAY: Final = 3600.0
_DEAD_KEPT: Final = timedelta(days=30)


@dataclass(frozen=True)
class Entry:
    """Something to do, claimed. `attempts` counts this one."""

    id: str
    kind: str
    payload: bytes = field(repr=False)
    created_at: datetime
    claim: str
    attempts: int


class Outbox:
    """The queue in the database. Safe over any number of threads, workers and restarts."""

    def __init__(self, database: Database, keyring: Keyring, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock

    def put(self, session: Session, kind: str, payload: bytes) -> str:
        """Writes down something to do, sealed, within the caller's write; its id. Nothing happens if that fails."""
        entry_id = new_id("out")
        store.add(session, entry_id, kind, self._keyring.seal(payload, _aad(entry_id, kind)), self._clock.now())
        return entry_id

    def claim(self, kind: str, *, limit: int = 10) -> list[Entry]:
        """Up to `limit` entries that are due; nobody else gets them for five minutes. Raises DatabaseBusy."""
        now, token = self._clock.now(), new_id("clm")
        rows = self._database.run(lambda session: store.claim(session, kind, token, now, now + LEASE, limit=limit))
        return [entry for entry in map(self._open, rows) if entry is not None]

    def _open(self, row: StoredEntry) -> Entry | None:
        """One that cannot be opened is given up: it must not stand in the way of the others for ever."""
        try:
            payload = self._keyring.open_(row.sealed, _aad(row.id, row.kind))
        except IntegrityError as error:
            now, fault = self._clock.now(), error.code
            self._database.run(lambda session: store.bury(session, row.id, row.claim, now, fault))
            return None
        return Entry(row.id, row.kind, payload, row.created_at, row.claim, row.attempts)

    def done(self, entry: Entry) -> None:
        """It is done: the entry is gone, if the claim still held."""
        self._database.run(lambda session: store.done(session, entry.id, entry.claim))

    def failed(self, entry: Entry, fault: str, *, for_ever: bool = False) -> bool:
        """It did not work, for `fault` (a code without personal data). Whether it will be tried again.

        Each time after twice as long, up to an hour; after three days, or when it can never work, no more.
        """
        now = self._clock.now()
        if for_ever or now - entry.created_at >= GIVE_UP_AFTER:
            self._database.run(lambda session: store.bury(session, entry.id, entry.claim, now, fault))
            return False
        due = now + timedelta(seconds=_delay(entry.attempts))
        self._database.run(lambda session: store.later(session, entry.id, entry.claim, due, fault))
        return True

    def tidy(self) -> int:
        """Removes what was given up a month ago; how many."""
        before = self._clock.now() - _DEAD_KEPT
        return self._database.run(lambda session: store.sweep(session, before))

    def waiting(self) -> Waiting:
        """How much waits, since when, and how much was given up."""
        with self._database.read() as session:
            return store.waiting(session)


def _delay(attempts: int) -> float:
    longest = min(_FIRST_DELAY * (1 << min(attempts - 1, 16)), _LONGEST_DELAY)
    return longest * random.uniform(0.75, 1.0)  # noqa: S311 -- spreads load, hides nothing


def _aad(entry_id: str, kind: str) -> bytes:
    return f"outbox\x1f{kind}\x1f{entry_id}".encode()
