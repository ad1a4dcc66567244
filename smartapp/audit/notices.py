"""What anybody can cause a thousand times a minute, written down a few times: the first at once, the rest counted.

Else a stranger could bury the trail, or slow down who is served with it. A process that is killed loses what it had
counted and not told yet: at most the last five minutes of what was told before.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from smartapp.audit.model import Event
from smartapp.clock import Clock
from smartapp.errors import AuditUnavailable

_EVERY: Final = timedelta(minutes=5)
"""How often the same thing is told again, while it goes on."""
_REST: Final = timedelta(seconds=30)
"""So long no request waits for a trail that could not be written."""
_MOST: Final = 1024
"""Different things that are told apart at once; of more than that, only kind and provider."""
_MOST_QUEUED: Final = 4096
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Heard:
    event: Event
    count: int
    told_at: datetime | None = None


class Notices:
    """Counts events. One per process; safe to share by threads. Nothing here raises."""

    def __init__(self, write: Callable[[Sequence[Event]], object], may_write: Callable[[], bool], clock: Clock) -> None:
        """`write` commits rows, together; `may_write` says whether this thread can now (it is in no write already)."""
        self._write = write
        self._may_write = may_write
        self._clock = clock
        self._lock = threading.Lock()
        self._heard: dict[Hashable, _Heard] = {}
        self._queued: deque[Event] = deque(maxlen=_MOST_QUEUED)
        self._rest_until: datetime | None = None

    def note(self, event: Event, *, later: bool = False) -> None:
        """It happened. The first of its like is written now, and within five minutes no other; `later`: by `tell`.

        Two events are alike if they agree in everything but the request.
        """
        now = self._clock.now()
        with self._lock:
            heard = self._heard_of(event)
            heard.count += 1
            if later or not self._is_due(heard, now) or self._rests(now) or not self._may_write():
                return
            taken = self._take([heard], now)
        self._tell(taken)

    def tell(self, besides: Sequence[Event] = (), *, everything: bool = False) -> None:
        """Writes what waits and is due, and `besides`, together; `everything`: also what was told not long ago."""
        now = self._clock.now()
        with self._lock:
            waiting = [
                heard for heard in self._heard.values() if heard.count and (everything or self._is_due(heard, now))
            ]
            taken = self._take(waiting, now)
            queued = [*self._queued, *besides]
            self._queued.clear()
            for key in [key for key, heard in self._heard.items() if not heard.count and self._is_due(heard, now)]:
                del self._heard[key]
        if taken or queued:
            self._tell(taken, queued)

    def _heard_of(self, event: Event) -> _Heard:
        key = _key(event)
        if key not in self._heard and len(self._heard) >= _MOST:
            event = Event(event.kind, event.severity, provider=event.provider)
            key = _key(event)
        return self._heard.setdefault(key, _Heard(event, 0))

    def _take(self, heard: Sequence[_Heard], now: datetime) -> list[tuple[_Heard, int]]:
        taken = []
        for each in heard:
            taken.append((each, each.count))
            each.count, each.told_at = 0, now
        return taken

    def _tell(self, taken: Sequence[tuple[_Heard, int]], queued: Sequence[Event] = ()) -> None:
        """What cannot be written now stays for later."""
        try:
            self._write([*(_counted(heard.event, count) for heard, count in taken), *queued])
        except AuditUnavailable:
            _log.warning("notices could not be written: %s", " ".join(sorted({one.event.kind for one, _ in taken})))
            with self._lock:
                self._rest_until = self._clock.now() + _REST
                self._queued.extendleft(reversed(queued))
                for heard, count in taken:
                    heard.count += count
                    heard.told_at = None

    def _rests(self, now: datetime) -> bool:
        return self._rest_until is not None and now < self._rest_until

    @staticmethod
    def _is_due(heard: _Heard, now: datetime) -> bool:
        return heard.told_at is None or now - heard.told_at >= _EVERY


def _key(event: Event) -> Hashable:
    return (
        event.kind,
        event.severity,
        event.patient,
        event.principal_ref,
        event.session_ref,
        event.provider,
        tuple(sorted(event.detail.items())),
    )


def _counted(event: Event, count: int) -> Event:
    """`count` of them since the last row of its like. The request named is the first one's."""
    return replace(event, detail={**event.detail, "count": str(count)})
