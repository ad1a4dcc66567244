"""How the last requests of an app fared, for its developer: which door, how it ended and why, and nothing it sent."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from smartapp.clock import Clock
from smartapp.db.unit import Database
from smartapp.errors import SmartappError
from smartapp.exchange.developers import store
from smartapp.exchange.developers.store import StoredTrace
from smartapp.identity.apps.service import Apps

Door = Literal["authorize", "token", "introspect", "revoke", "register", "userinfo"]
KEPT: Final = 50
_LONGEST: Final = 64
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
    """Writes them down, the last 50 of each app. It is a help, not a record: it never stands in a request's way."""

    def __init__(self, database: Database, apps: Apps, clock: Clock) -> None:
        self._database = database
        self._apps = apps
        self._clock = clock

    def note(
        self, provider: str, client_id: str, door: Door, *, error: str = "", why: str = "", request_id: str = ""
    ) -> None:
        """One request of an app, outside any write of the caller's. Of a client that we do not know nothing is kept.

        `error` and `why` are words of ours, never the app's. Raises nothing.
        """
        try:
            if self._apps.find(provider, client_id) is None:
                return
            trace = StoredTrace(
                provider, client_id, self._clock.now(), door, error[:_LONGEST], why[:_LONGEST], request_id
            )
            self._database.run(lambda session: store.add_trace(session, trace, KEPT))
        except SmartappError as fault:
            _log.warning("an app's request could not be traced: %s", fault.code)

    def of(self, provider: str, client_id: str) -> tuple[Trace, ...]:
        """The app's last requests, newest first."""
        with self._database.read() as session:
            found = store.traces(session, provider, client_id)
        return tuple(Trace(each.at, each.door, each.error, each.why, each.request_id) for each in found)
