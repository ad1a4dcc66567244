"""Fetches the pictures of apps. Never where patients are served: a stranger's picture is decoded here."""

from datetime import datetime, timedelta
from typing import Final

from smartapp.clock import Clock
from smartapp.exchange.developers.logo import fetch
from smartapp.identity.apps.logos import Logos
from smartapp.outbound.public import PublicDoor

_EVERY: Final = timedelta(minutes=1)


class LogosJob:
    """Looks once a minute, and at once again while there is more."""

    def __init__(self, logos: Logos, door: PublicDoor, clock: Clock) -> None:
        self._logos = logos
        self._door = door
        self._clock = clock
        self._next: datetime = clock.now()

    def run_once(self) -> int:
        """Fetches one picture that is due; how many that were. Raises DatabaseBusy."""
        if self._clock.now() < self._next:
            return 0
        app = self._logos.due()
        if app is None:
            self._next = self._clock.now() + _EVERY
            return 0
        self._logos.keep(app, fetch(self._door, app.metadata.logo_uri))
        return 1
