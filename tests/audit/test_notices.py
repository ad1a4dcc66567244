"""What can happen a thousand times a minute is told a few times, and nothing of the number is lost."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.audit.model import Event
from smartapp.audit.notices import Notices
from smartapp.errors import AuditUnavailable
from tests.support.clock import FixedClock


@dataclass
class Written:
    """Stands for the trail. `away`: nothing can be written. `writing`: this thread is in a write."""

    clock: FixedClock = field(default_factory=FixedClock)
    rows: list[Event] = field(default_factory=list)
    away: bool = False
    writing: bool = False
    asked: int = 0

    def __post_init__(self) -> None:
        self.notices = Notices(self.write, lambda: not self.writing, self.clock)

    def write(self, events: Sequence[Event]) -> None:
        self.asked += 1
        if self.away:
            raise AuditUnavailable
        self.rows += events

    def counted(self, kind: str = "host.bad") -> int:
        return sum(int(row.detail["count"]) for row in self.rows if row.kind == kind)


@pytest.fixture
def trail() -> Written:
    return Written()


def test_the_first_is_written_at_once_and_the_rest_are_counted(trail: Written) -> None:
    for number in range(1000):
        trail.notices.note(Event("host.bad", request_id=f"req-{number}"))
    assert [(row.detail["count"], row.request_id) for row in trail.rows] == [("1", "req-0")]
    trail.notices.tell()
    assert len(trail.rows) == 1
    trail.clock.advance(300)
    trail.notices.tell()
    assert [row.detail["count"] for row in trail.rows] == ["1", "999"]
    trail.clock.advance(300)
    trail.notices.tell()
    trail.notices.note(Event("host.bad"))
    assert [row.detail["count"] for row in trail.rows] == ["1", "999", "1"]


def test_what_costs_no_time_is_written_beside(trail: Written) -> None:
    trail.notices.note(Event("db.busy"), later=True)
    assert trail.rows == []
    trail.notices.tell()
    assert [row.kind for row in trail.rows] == ["db.busy"]


def test_within_a_write_none_is_begun(trail: Written) -> None:
    trail.writing = True
    trail.notices.note(Event("host.bad"))
    assert trail.asked == 0
    trail.writing = False
    trail.notices.tell()
    assert trail.counted() == 1


@pytest.mark.threat("T11")
def test_a_trail_that_is_away_loses_nothing_and_is_not_waited_for_again(trail: Written) -> None:
    trail.away = True
    for _ in range(50):
        trail.notices.note(Event("host.bad"))
    trail.notices.note(Event("csrf.fail"))
    assert trail.asked == 1
    trail.notices.tell([Event("authz.filtered")])
    trail.away = False
    trail.notices.tell(everything=True)
    assert trail.counted() == 50
    assert trail.counted("csrf.fail") == 1
    assert [row.kind for row in trail.rows].count("authz.filtered") == 1


def test_a_stranger_who_varies_what_is_told_apart_fills_neither_memory_nor_trail(trail: Written) -> None:
    for number in range(5000):
        trail.notices.note(Event("csrf.fail", session_ref=str(number)), later=True)
    trail.notices.tell()
    assert trail.counted("csrf.fail") == 5000
    assert len(trail.rows) <= 1025


@given(st.lists(st.tuples(st.sampled_from(["host.bad", "csrf.fail"]), st.integers(0, 400), st.booleans())))
def test_nothing_is_lost_and_nothing_is_told_twice(steps: list[tuple[str, int, bool]]) -> None:
    trail = Written()
    for kind, seconds, away in steps:
        trail.away = away
        trail.notices.note(Event(kind))
        trail.clock.advance(seconds)
        trail.notices.tell()
    trail.away = False
    trail.notices.tell(everything=True)
    for kind in ("host.bad", "csrf.fail"):
        assert trail.counted(kind) == sum(one == kind for one, _, _ in steps)
