"""Limits hold over all threads and workers, say when to come again, and touch nobody else."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from smartapp.db.engine import make_engine
from smartapp.db.unit import Database
from smartapp.errors import TooMany
from smartapp.security.keyring import Keyring
from smartapp.settings import Apps
from smartapp.settings import Database as DatabaseSettings
from smartapp.tokens.limits.service import Limit, Limits
from tests.support.clock import FixedClock

START = datetime(2026, 3, 1, 10, 0, 10, tzinfo=UTC)


def made(database: Database, keyring: Keyring, clock: FixedClock, **set_: int) -> Limits:
    return Limits(Apps(**set_), database, keyring, clock)  # type: ignore[arg-type]  # all of them are numbers


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.mark.threat("O61", "O54")
def test_what_is_over_the_limit_is_refused_until_the_window_ends(
    database: Database, keyring: Keyring, clock: FixedClock
) -> None:
    limits = made(database, keyring, clock, failures_per_minute=3)
    for _ in range(3):
        limits.spend(Limit.FAILURES_FROM, "203.0.113.7")
    with pytest.raises(TooMany) as refused:
        limits.spend(Limit.FAILURES_FROM, "203.0.113.7")
    assert refused.value.retry_after == 50
    with pytest.raises(TooMany):
        limits.require_left(Limit.FAILURES_FROM, "203.0.113.7")
    limits.spend(Limit.FAILURES_FROM, "203.0.113.8")
    limits.spend(Limit.FAILURES_OF, "203.0.113.7")
    clock.advance(50)
    limits.require_left(Limit.FAILURES_FROM, "203.0.113.7")
    limits.spend(Limit.FAILURES_FROM, "203.0.113.7")


@pytest.fixture
def waiting(database_url: str) -> Iterator[Database]:
    """One that waits for its turn, however slow the machine is."""
    engine = make_engine(DatabaseSettings(database_url, lock_timeout=60))
    yield Database(engine)
    engine.dispose()


@pytest.mark.threat("P15")
@pytest.mark.threat("O61")
def test_it_is_exact_over_threads_and_workers(waiting: Database, keyring: Keyring, clock: FixedClock) -> None:
    """Property 15: evaluated guesses never exceed the limit, for any parallelism."""
    workers = [made(waiting, keyring, clock, failures_per_minute=20) for _ in range(4)]
    barrier, allowed, lock = threading.Barrier(8), [0], threading.Lock()

    def tries(limits: Limits) -> None:
        barrier.wait(10)
        for _ in range(10):
            try:
                limits.spend(Limit.FAILURES_OF, "app-1")
            except TooMany:
                continue
            with lock:
                allowed[0] += 1

    threads = [threading.Thread(target=tries, args=(workers[number % 4],)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert allowed[0] == 20


@pytest.mark.promise("B3")
def test_requests_are_taken_in_blocks_and_never_more_than_the_limit(
    database: Database, keyring: Keyring, clock: FixedClock
) -> None:
    workers = [made(database, keyring, clock, requests_per_minute=100) for _ in range(3)]
    allowed = 0
    for number in range(150):
        try:
            workers[number % 3].spend(Limit.REQUESTS, "gra-1")
        except TooMany:
            continue
        allowed += 1
    assert allowed == 100


@pytest.mark.promise("B3")
def test_bytes_are_counted_after_they_left_and_hold_up_the_next_request(
    database: Database, keyring: Keyring, clock: FixedClock
) -> None:
    limits = made(database, keyring, clock, bytes_per_hour=1000)
    limits.require_left(Limit.BYTES, "gra-1")
    limits.add(Limit.BYTES, "gra-1", 10**12)
    with pytest.raises(TooMany) as refused:
        limits.require_left(Limit.BYTES, "gra-1")
    assert refused.value.retry_after == 3590
    limits.require_left(Limit.BYTES, "gra-2")
    clock.advance(3600)
    limits.require_left(Limit.BYTES, "gra-1")
