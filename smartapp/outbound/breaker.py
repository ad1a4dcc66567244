"""Spares an upstream that is down, and our threads: after some failures in a row nobody asks for a while."""

import math
import threading
from datetime import datetime, timedelta
from typing import Final

from smartapp.clock import Clock
from smartapp.errors import UpstreamDown

_FAILURES: Final = 5
_OPEN_FOR: Final = timedelta(seconds=10)
_LONGEST_HOLD: Final = timedelta(minutes=5)
"""An upstream may ask us to wait for a day, but not make us forget it for one."""


class Breaker:
    """Of one origin. Closed: all pass. Open: none for 10 s. Then one probe at a time, until one succeeds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._until: datetime | None = None
        self._probing = False

    def admit(self) -> None:
        """Let a request pass, or raise UpstreamDown with `retry_after`. Each admitted one reports once, below."""
        with self._lock:
            if self._until is None:
                return
            remaining = (self._until - self._clock.now()).total_seconds()
            if remaining > 0 or self._probing:
                raise UpstreamDown("breaker-open", retry_after=max(1, math.ceil(remaining)))
            self._probing = True

    def succeeded(self) -> None:
        """The upstream is alive. An answer to a question from before it was closed off does not open the way."""
        with self._lock:
            if self._until is None or self._probing:
                self._failures, self._until, self._probing = 0, None, False

    def failed(self) -> None:
        """The upstream could not be reached, or did not answer."""
        with self._lock:
            self._failures += 1
            self._probing = False
            if self._failures >= _FAILURES:
                self._close(_OPEN_FOR)

    def hold(self, seconds: int) -> None:
        """The upstream asked us to wait (RFC 9110 §10.2.3): nobody asks before that, so that no storm follows."""
        with self._lock:
            self._probing = False
            self._close(min(timedelta(seconds=seconds), _LONGEST_HOLD))

    def _close(self, period: timedelta) -> None:
        until = self._clock.now() + period
        self._until = until if self._until is None else max(self._until, until)
