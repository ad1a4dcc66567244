"""When to ask again, and when an upstream says to wait."""

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

RETRIES: Final = 2
LONGEST_WAIT: Final = 5
"""Seconds. A longer Retry-After is passed on: a person is waiting for the page."""
BUSY: Final = frozenset({429, 502, 503, 504})
"""The statuses that say the next attempt may go better (RFC 9110 §15.6, RFC 6585 §4)."""


@dataclass(frozen=True)
class Patience:
    """How long and how often one exchange may try: `total` in seconds over all attempts, `max_bytes` of body."""

    total: float
    max_bytes: int
    retries: int


def retry_after(value: str | None, now: datetime) -> int | None:
    """Retry-After in seconds from `now` (RFC 9110 §10.2.3: a number or a date); None when absent or neither."""
    text = (value or "").strip()
    if text.isascii() and text.isdecimal():
        return int(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0, math.ceil((moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()))


def backoff(attempt: int) -> float:
    """Seconds before attempt `attempt` + 1: doubling, spread, so that workers do not come back together."""
    return random.uniform(0.1, 0.3) * (1 << attempt)  # noqa: S311 -- spreads load, hides nothing
