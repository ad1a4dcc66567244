"""Clears away what was given up long ago."""

from datetime import datetime, timedelta
from typing import Final

from smartapp.clock import Clock
from smartapp.db.outbox.service import Outbox

_EVERY: Final = timedelta(hours=1)


class TidyJob:
    """Looks once an hour, however often it is asked."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock
        self._next: datetime = clock.now()

    def run_once(self) -> int:
        """Nothing that would be worth another look at once. Raises DatabaseBusy."""
        if self._clock.now() >= self._next:
            self._outbox.tidy()
            self._next = self._clock.now() + _EVERY
        return 0
