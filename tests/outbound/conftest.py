from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from smartapp.outbound.service import Door, Outbound
from smartapp.settings import Upstreams
from tests.support.clock import FixedClock
from tests.support.upstream import WireServer

UPSTREAMS = Upstreams(connect_timeout=1, read_timeout=0.3, total_timeout=1, max_json_bytes=10_000)


@dataclass
class Slept:
    """Stands in for sleeping: nothing waits, and what would have been waited for is written down."""

    seconds: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def slept() -> Slept:
    return Slept()


@pytest.fixture
def outbound(fixed_clock: FixedClock, slept: Slept) -> Outbound:
    return Outbound(UPSTREAMS, fixed_clock, slept)


@pytest.fixture
def door_to(outbound: Outbound) -> Callable[[WireServer], Door]:
    return lambda server: outbound.for_origins("test", (server.origin,))
