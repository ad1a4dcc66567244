"""Deals with the days of grants as they come."""

from datetime import datetime, timedelta
from typing import Final

from smartapp.clock import Clock
from smartapp.exchange.grants.upkeep import Upkeep

_EVERY: Final = timedelta(minutes=1)


class GrantsJob:
    """Looks once a minute, and at once again while there is more."""

    def __init__(self, upkeep: Upkeep, clock: Clock) -> None:
        self._upkeep = upkeep
        self._clock = clock
        self._next: datetime = clock.now()

    def run_once(self) -> int:
        """Does some of what is due; how much that was. Raises DatabaseBusy."""
        if self._clock.now() < self._next:
            return 0
        done = self._upkeep.run_once()
        if not done:
            self._next = self._clock.now() + _EVERY
        return done
