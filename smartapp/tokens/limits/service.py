"""Counts what is used of a limit, and says when it is used up."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy.orm import Session

from smartapp.clock import Clock
from smartapp.db.unit import Database
from smartapp.errors import TooMany
from smartapp.security.keyring import Keyring
from smartapp.settings import Apps
from smartapp.tokens.limits import store

_MINUTE: Final = 60
_HOUR: Final = 3600
_HELD: Final = 4096


class Limit(StrEnum):
    """What is limited."""

    REQUESTS = "requests"
    """Requests to FHIR and DICOMweb under one grant."""
    BYTES = "bytes"
    """Bytes that left under one grant. A running answer is not cut; the next request waits."""
    FAILURES_FROM = "failures-from"
    """Failed authentications of apps from one address."""
    FAILURES_OF = "failures-of"
    """Failed authentications as one app, from anywhere."""
    REGISTRATIONS = "registrations"
    """Registrations from one address."""


@dataclass(frozen=True)
class Allowance:
    """So much in so many seconds. Of a `block` a worker takes that much at once, and counts it down by itself."""

    most: int
    seconds: int
    block: int = 1


def allowances(apps: Apps) -> Mapping[Limit, Allowance]:
    """The limits as they are set. A block is a fiftieth: so much a worker may hold back from the others."""
    return {
        Limit.REQUESTS: Allowance(apps.requests_per_minute, _MINUTE, max(apps.requests_per_minute // 50, 1)),
        Limit.BYTES: Allowance(apps.bytes_per_hour, _HOUR),
        Limit.FAILURES_FROM: Allowance(apps.failures_per_minute, _MINUTE),
        Limit.FAILURES_OF: Allowance(apps.failures_per_minute, _MINUTE),
        Limit.REGISTRATIONS: Allowance(apps.registrations_per_hour, _HOUR),
    }


class Limits:
    """One per process; safe to share by threads. What is counted is in the database, over all workers and restarts."""

    def __init__(self, apps: Apps, database: Database, keyring: Keyring, clock: Clock) -> None:
        self._allowances = allowances(apps)
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._lock = threading.Lock()
        self._blocks: dict[tuple[str, datetime], int] = {}
        self._swept: datetime | None = None

    def spend(self, limit: Limit, subject: str, amount: int = 1) -> None:
        """Counts `amount`. TooMany when that is more than is left: then nothing was counted."""
        allowance, ref = self._allowances[limit], self._ref(limit, subject)
        window, ends_at = self._window(allowance)
        if allowance.block > 1 and self._from_block(ref, window, amount):
            return
        wanted = max(allowance.block, amount)
        if self._taken(ref, window, ends_at, wanted, allowance.most):
            self._keep(ref, window, wanted - amount)
        elif wanted == amount or not self._taken(ref, window, ends_at, amount, allowance.most):
            raise self._too_many(ends_at)

    def add(self, limit: Limit, subject: str, amount: int) -> None:
        """Counts what was used already, whatever is left."""
        allowance, ref = self._allowances[limit], self._ref(limit, subject)
        window, ends_at = self._window(allowance)
        self._database.run(lambda session: store.add(session, ref, window, amount, ends_at))

    def require_left(self, limit: Limit, subject: str) -> None:
        """TooMany when nothing is left; counts nothing."""
        allowance, ref = self._allowances[limit], self._ref(limit, subject)
        window, ends_at = self._window(allowance)
        if store.used(self._database, ref, window) >= allowance.most:
            raise self._too_many(ends_at)

    def _taken(self, ref: str, window: datetime, ends_at: datetime, amount: int, most: int) -> bool:
        """Whether so much was left; if not, it was given back in the same transaction."""

        def work(session: Session) -> bool:
            total = store.add(session, ref, window, amount, ends_at)
            if total > most:
                store.take_back(session, ref, window, amount)
            return total <= most

        self._sweep_if_due()
        return self._database.run(work)

    def _from_block(self, ref: str, window: datetime, amount: int) -> bool:
        with self._lock:
            left = self._blocks.get((ref, window), 0)
            if left < amount:
                return False
            self._blocks[ref, window] = left - amount
            return True

    def _keep(self, ref: str, window: datetime, left: int) -> None:
        if not left:
            return
        with self._lock:
            if len(self._blocks) >= _HELD:
                self._blocks.clear()
            self._blocks[ref, window] = self._blocks.get((ref, window), 0) + left

    def _sweep_if_due(self) -> None:
        now = self._clock.now()
        if self._swept is not None and timedelta() <= now - self._swept < timedelta(seconds=_MINUTE):
            return
        self._swept = now
        self._database.run(lambda session: store.sweep(session, now))

    def _window(self, allowance: Allowance) -> tuple[datetime, datetime]:
        """The window that the moment is in: they follow one another, the same on every worker."""
        seconds = int(self._clock.now().timestamp())
        begin = datetime.fromtimestamp(seconds - seconds % allowance.seconds, UTC)
        return begin, begin + timedelta(seconds=allowance.seconds)

    def _too_many(self, ends_at: datetime) -> TooMany:
        return TooMany(retry_after=max(int((ends_at - self._clock.now()).total_seconds()), 1))

    def _ref(self, limit: Limit, subject: str) -> str:
        return self._keyring.mac(f"limits.{limit}", subject)
