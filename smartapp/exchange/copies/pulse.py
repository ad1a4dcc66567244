"""Somebody who waits for a copy does something, though they press nothing: without this a copy that takes longer than
the idle limit would break off with its session.
"""

import contextlib
from datetime import timedelta
from typing import Final, Protocol

from smartapp.clock import Clock
from smartapp.errors import DatabaseBusy

_EVERY: Final = timedelta(seconds=30)


class Sessions(Protocol):
    """Knows browser sessions (`identity.service.Identity`)."""

    def in_use(self, session_id: str) -> None:
        """Moves the idle limit of a live session. Raises DatabaseBusy."""
        ...


class Pulse:
    """Of one copy: `beat` is called with each piece that was taken, and moves the limit every 30 seconds.

    A reader who takes nothing is cut off by the server, so the limit moves only while something is taken.
    """

    def __init__(self, sessions: Sessions, session_id: str, clock: Clock) -> None:
        self._sessions = sessions
        self._session_id = session_id
        self._clock = clock
        self._last = clock.now()

    def beat(self) -> None:
        """Raises nothing: a database that is busy now is asked again with the next piece."""
        now = self._clock.now()
        if now - self._last < _EVERY:
            return
        with contextlib.suppress(DatabaseBusy):
            self._sessions.in_use(self._session_id)
            self._last = now
