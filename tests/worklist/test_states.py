"""What becomes of an item when the same is found again, or no more: every state, every way it was settled."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.exchange.worklist.model import How, Standing, State, again, gone

T0 = datetime(2026, 3, 2, 9, tzinfo=UTC)
T1, T2 = T0 + timedelta(hours=1), T0 + timedelta(hours=2)
OPEN = Standing(State.OPEN, "facts", T0, 3)
TAKEN = replace(OPEN, state=State.TAKEN)


def settled(how: How) -> Standing:
    return replace(OPEN, state=State.SETTLED, how=how, settled_at=T1)


@pytest.mark.promise("A2")
@pytest.mark.parametrize(
    ("before", "facts", "state", "how"),
    [
        (OPEN, "facts", State.OPEN, None),
        (OPEN, "others", State.OPEN, None),
        (TAKEN, "facts", State.TAKEN, None),
        (TAKEN, "others", State.TAKEN, None),
        (settled(How.CORRECTED), "facts", State.OPEN, None),
        (settled(How.CORRECTED), "others", State.OPEN, None),
        (settled(How.NOT_OURS), "facts", State.SETTLED, How.NOT_OURS),
        (settled(How.NOT_OURS), "others", State.OPEN, None),
        (settled(How.LEFT), "facts", State.SETTLED, How.LEFT),
        (settled(How.LEFT), "others", State.OPEN, None),
    ],
)
def test_found_again(before: Standing, facts: str, state: State, how: How | None) -> None:
    now = again(before, facts, T2)
    assert (now.state, now.how, now.facts_ref, now.last_seen, now.times_seen) == (state, how, facts, T2, 4)
    assert now.settled_at == (T1 if how else None)


@pytest.mark.promise("A2")
@pytest.mark.parametrize("before", [OPEN, TAKEN])
def test_found_no_more_what_waited_is_corrected(before: Standing) -> None:
    assert gone(before, T2) == Standing(State.SETTLED, "", T0, 3, How.CORRECTED, T2)


@pytest.mark.parametrize("how", How)
def test_found_no_more_what_was_settled_stays_and_is_news_when_it_comes_back(how: How) -> None:
    now = gone(settled(how), T2)
    assert now == replace(settled(how), facts_ref="")
    assert again(now, "facts", T2 + timedelta(hours=1)).state is State.OPEN


@pytest.mark.parametrize("how", How)
def test_a_refresh_from_before_it_was_settled_changes_nothing(how: How) -> None:
    assert again(settled(how), "others", T0) == settled(how)
    assert gone(settled(how), T0) == settled(how)


def test_a_slow_worker_does_not_take_back_what_a_later_refresh_found() -> None:
    late = replace(OPEN, last_seen=T2)
    assert again(late, "others", T1) == replace(late, times_seen=4)
    assert gone(late, T1) == late


@pytest.mark.promise("A2")
@given(
    st.lists(st.tuples(st.sampled_from(["again", "gone"]), st.sampled_from(["a", "b"]), st.integers(0, 9))),
    st.sampled_from([OPEN, TAKEN, *map(settled, How)]),
)
def test_whatever_is_found_an_item_says_what_was_found_last(looks: list[tuple[str, str, int]], now: Standing) -> None:
    for at, (what, facts, _) in enumerate(looks, 3):
        moment = T0 + timedelta(hours=at)
        before, now = now, again(now, facts, moment) if what == "again" else gone(now, moment)
        assert now.times_seen - before.times_seen == (what == "again")
        assert now.facts_ref == (facts if what == "again" else "")
        assert (now.state is State.SETTLED) == (now.settled_at is not None) == (now.how is not None)
        if what == "gone":
            assert now.state is State.SETTLED
        elif before.facts_ref != facts:
            assert now.state is not State.SETTLED
