"""How often an EHR is asked for tokens, whosever they are: once for all workers, and never in a storm."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, TypeVar

from smartapp.errors import UpstreamSlow

T = TypeVar("T")

LEASE: Final = timedelta(seconds=60)
"""Longer than discovery and one token request may take together."""
YOUNG: Final = timedelta(seconds=60)
"""A token that is refused at this age the EHR will not give better."""
_MARGIN: Final = timedelta(seconds=60)
_PAUSE: Final = timedelta(seconds=5)
_POLL_SECONDS: Final = 0.2
_POLLS: Final = 60


def is_due(fetched_at: datetime, expires_at: datetime, now: datetime) -> bool:
    """Whether less than a minute is left of a token, or half of a life that was short from the beginning."""
    return expires_at - now <= min(_MARGIN, (expires_at - fetched_at) / 2)


def pause(retry_after: int | None) -> timedelta:
    """How long nobody asks again after the EHR did not answer: what it names itself (seconds), or five seconds."""
    return timedelta(seconds=retry_after) if retry_after else _PAUSE


def looked(look: Callable[[], T | None], sleep: Callable[[float], None]) -> T:
    """What `look` finds, asked again while another worker is fetching it (None). Raises UpstreamSlow in the end."""
    for _ in range(_POLLS):
        found = look()
        if found is not None:
            return found
        sleep(_POLL_SECONDS)
    raise UpstreamSlow("ehr-token")
