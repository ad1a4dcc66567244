"""How the last requests of an app fared, for its developer: which door, how it ended and why, and nothing it sent."""

import logging
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy.orm import Session

from smartapp.clock import Clock
from smartapp.db.unit import Database
from smartapp.errors import SmartappError
from smartapp.exchange.developers import store
from smartapp.exchange.developers.store import StoredTrace
from smartapp.identity.apps.service import Apps

Door = Literal["authorize", "token", "introspect", "revoke", "register", "userinfo"]
KEPT: Final = 50
_LONGEST: Final = 64
_MOST_HELD: Final = 1000
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trace:
    """One request. `error` is what the app was answered (RFC 6749 §5.2; empty: it worked), `why` our own word for it.

    `request_id` is the reference that its answer bore.
    """

    at: datetime
    door: str
    error: str
    why: str
    request_id: str


class Traces:
    """Writes them down, the last 50 of each app. One per process; safe to share by threads.

    It is a help, not a record: no request waits for it. What is noted is held until `flush`, which a thread of the
    process calls every second; what a killed process held is lost, and of a flood only the newest is kept.
    """

    def __init__(self, database: Database, apps: Apps, clock: Clock) -> None:
        self._database = database
        self._apps = apps
        self._clock = clock
        self._held: deque[StoredTrace] = deque(maxlen=_MOST_HELD)

    def note(
        self, provider: str, client_id: str, door: Door, *, error: str = "", why: str = "", request_id: str = ""
    ) -> None:
        """One request of an app. Of a client that we do not know nothing is kept in the end.

        `error` and `why` are words of ours, never the app's.
        """
        now = self._clock.now()
        self._held.append(StoredTrace(provider, client_id, now, door, error[:_LONGEST], why[:_LONGEST], request_id))

    def flush(self) -> None:
        """Writes down what is held, outside any write of the caller's. Raises nothing: what cannot be written is
        forgotten.
        """
        held = self._taken()
        if not held:
            return
        try:
            self._database.run(lambda session: self._write(session, held))
        except SmartappError as fault:
            _log.warning("requests of apps could not be traced: %s", fault.code)

    def _taken(self) -> list[StoredTrace]:
        taken = []
        with suppress(IndexError):
            while True:
                taken.append(self._held.popleft())
        return taken

    def _write(self, session: Session, held: Iterable[StoredTrace]) -> None:
        of_apps: dict[tuple[str, str], list[StoredTrace]] = {}
        for trace in held:
            of_apps.setdefault((trace.provider, trace.client_id), []).append(trace)
        for app, traces in of_apps.items():
            if self._apps.registered(session, *app):
                store.add_traces(session, traces, KEPT)

    def of(self, provider: str, client_id: str) -> tuple[Trace, ...]:
        """The app's last requests, newest first. Those that another process holds are missing for a second."""
        self.flush()
        with self._database.read() as session:
            found = store.traces(session, provider, client_id)
        return tuple(Trace(each.at, each.door, each.error, each.why, each.request_id) for each in found)
