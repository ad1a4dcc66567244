"""At most one success, over any parallelism."""

import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.access.house import House


@pytest.mark.threat("S6")
def test_a_value_counts_once(house: House) -> None:
    house.single_use.put("flow", "secret", 60, b"payload")
    assert house.single_use.take("flow", "secret") == b"payload"
    assert house.single_use.take("flow", "secret") is None
    assert house.another().single_use.take("flow", "secret") is None


@pytest.mark.threat("S6")
@pytest.mark.parametrize(("kind", "raw"), [("flow", "other"), ("code", "secret"), ("flow", ""), ("flo", "wsecret")])
def test_another_value_or_kind_takes_nothing(house: House, kind: str, raw: str) -> None:
    house.single_use.put("flow", "secret", 60, b"payload")
    assert house.single_use.take(kind, raw) is None
    assert house.single_use.take("flow", "secret") == b"payload"


@pytest.mark.parametrize(("after", "found"), [(59, True), (60, False), (3600, False)])
def test_it_is_over_after_its_time(house: House, after: int, *, found: bool) -> None:
    house.single_use.put("flow", "secret", 60, b"payload")
    house.clock.advance(after)
    assert (house.single_use.take("flow", "secret") is not None) is found


def test_what_is_over_is_cleared_away(house: House) -> None:
    house.single_use.put("flow", "old", 60, b"payload")
    house.clock.advance(60)
    house.single_use.put("flow", "new", 60, b"payload")
    with house.database.read() as session:
        assert session.execute(text("SELECT count(*) FROM single_use")).scalar() == 1


def test_a_value_is_not_put_over_another(house: House) -> None:
    house.single_use.put("flow", "secret", 60, b"first")
    with pytest.raises(IntegrityError):
        house.single_use.put("flow", "secret", 60, b"second")
    assert house.single_use.take("flow", "secret") == b"first"


@pytest.mark.promise("E2")
def test_neither_value_nor_payload_is_readable_in_the_table(house: House) -> None:
    house.single_use.put("flow", "canary-secret", 60, b"canary-payload")
    with house.database.read() as session:
        (row,) = session.execute(text("SELECT * FROM single_use")).all()
    assert "canary" not in repr(tuple(row))


@pytest.mark.threat("S6")
@pytest.mark.parametrize("round_", range(3))
def test_of_many_at_once_one_gets_it(house: House, round_: int) -> None:
    workers = [house, house.another()]
    house.single_use.put("flow", "secret", 60, b"payload")
    barrier = threading.Barrier(8)
    taken: list[bytes | None] = []

    def take(number: int) -> None:
        barrier.wait()
        taken.append(workers[number % 2].single_use.take("flow", "secret"))

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken, key=bool) == [None] * 7 + [b"payload"]
