"""How much of a disclosure was sent: counted in memory, written at most once a second.

A process that has something unwritten, or bytes in flight, *holds* the disclosure: the database knows that before the
first byte leaves. So a process that is killed leaves a hold that nobody gives back, and the outcome becomes "unknown"
rather than too small a number.
"""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from smartapp.audit import store
from smartapp.audit.store import Counts
from smartapp.clock import Clock
from smartapp.db.unit import Database
from smartapp.errors import PermitEnded, Unavailable

_WRITE_EVERY: Final = timedelta(seconds=1)


@dataclass(slots=True)
class _Held:
    written_at: datetime
    active_at: datetime
    streams: int = 0
    counts: Counts = field(default_factory=Counts)


class Counters:
    """The disclosures that this process holds. Safe to share by threads.

    One lock is held while a row is written, so that no stream begins before its hold is committed: a second thread
    waits for one small transaction, at most once a second.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}

    def begin(self, disclosure_id: str) -> None:
        """A stream begins. Raises PermitEnded when the disclosure is closed, Unavailable when it cannot be held."""
        with self._lock:
            held = self._active(disclosure_id) or self._hold(disclosure_id, Counts())
            held.streams += 1

    def count(self, disclosure_id: str, instances: int, size: int) -> None:
        """So much was sent: within a stream, or as a whole answer of its own (then it raises as `begin` does)."""
        with self._lock:
            held = self._active(disclosure_id)
            if held is None:
                self._hold(disclosure_id, Counts(instances, size, completed=1))
                return
            held.counts.instances += instances
            held.counts.bytes += size
            if held.streams == 0:
                held.counts.completed += 1
            self._write_if_due(disclosure_id, held)

    def end(self, disclosure_id: str, *, complete: bool) -> None:
        """A stream ended: all of it was sent, or it was cut short."""
        with self._lock:
            held = self._active(disclosure_id)
            if held is None:  # it made no progress for so long that it was closed as unknown
                return
            held.streams -= 1
            if complete:
                held.counts.completed += 1
            else:
                held.counts.aborted += 1
            self._write_if_due(disclosure_id, held)

    def flush(self) -> None:
        """Writes what is unwritten, and gives back what no stream needs any more."""
        with self._lock:
            for disclosure_id, held in list(self._held.items()):
                if held.streams == 0 or held.counts != Counts():
                    self._write(disclosure_id, held)

    def _active(self, disclosure_id: str) -> _Held | None:
        held = self._held.get(disclosure_id)
        if held is not None:
            held.active_at = self._clock.now()
        return held

    def _hold(self, disclosure_id: str, counts: Counts) -> _Held:
        now = self._clock.now()
        with self._database.write() as session:
            if not store.report(session, disclosure_id, counts, holders=1, active_at=now):
                raise PermitEnded("disclosure-closed")
        held = self._held[disclosure_id] = _Held(now, now)
        return held

    def _write_if_due(self, disclosure_id: str, held: _Held) -> None:
        if self._clock.now() - held.written_at >= _WRITE_EVERY:
            self._write(disclosure_id, held)

    def _write(self, disclosure_id: str, held: _Held) -> None:
        """When the database does not answer, the counts stay here for the next time: the hold stays there too."""
        released = held.streams == 0
        held.written_at = self._clock.now()
        try:
            with self._database.write() as session:
                still_open = store.report(
                    session, disclosure_id, held.counts, holders=-int(released), active_at=held.active_at
                )
        except (Unavailable, SQLAlchemyError):
            return
        held.counts = Counts()
        if released or not still_open:
            del self._held[disclosure_id]
