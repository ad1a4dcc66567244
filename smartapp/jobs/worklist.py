"""Tells a hospital's staff by mail that something waits for them."""

from datetime import datetime, timedelta
from typing import Final

from smartapp.clock import Clock
from smartapp.exchange.worklist.notices import Notices

_EVERY: Final = timedelta(minutes=1)


class WorklistJob:
    """Looks once a minute, however often it is asked."""

    def __init__(self, notices: Notices, clock: Clock) -> None:
        self._notices = notices
        self._clock = clock
        self._next: datetime = clock.now()

    def run_once(self) -> int:
        """Writes the letters that are due; how many. Raises DatabaseBusy."""
        if self._clock.now() < self._next:
            return 0
        done = self._notices.run_once()
        self._next = self._clock.now() + _EVERY
        return done
