"""The one place of this process that reads the clock."""

import os
from datetime import UTC, datetime
from functools import cache

from smartapp.clock import Clock, clock_of


def now() -> datetime:
    """The present moment, UTC, as the sandbox has it: its clocks can be shifted."""
    return _clock().now()


@cache
def _clock() -> Clock:
    return clock_of("sandbox", os.environ)


def timestamp() -> int:
    """The present moment in whole seconds since 1970, as JSON Web Tokens count (RFC 7519 §2)."""
    return int(now().timestamp())


def instant(moment: datetime) -> str:
    """A moment as a FHIR instant, UTC, with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
