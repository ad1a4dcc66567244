"""When a parent's right ends."""

from datetime import UTC, date, datetime, timedelta

import pytest

from smartapp.exchange.representatives import end_of_right

BORN = date(2010, 6, 1)
OF_AGE = datetime(2028, 6, 1, 5, tzinfo=UTC)  # midnight in Chicago, in summer


@pytest.mark.promise("A6")
@pytest.mark.threat("A30")
def test_a_childs_representative_ends_with_the_birthday_at_the_hospital() -> None:
    before = OF_AGE - timedelta(microseconds=1)
    assert end_of_right(BORN, age_of_majority=18, timezone="America/Chicago", now=before) == OF_AGE


@pytest.mark.promise("A6")
@pytest.mark.parametrize(("born", "now"), [(BORN, OF_AGE), (None, OF_AGE), (date(1940, 1, 1), OF_AGE)])
def test_an_adults_representative_has_no_birthday_to_end_at(born: date | None, now: datetime) -> None:
    assert end_of_right(born, age_of_majority=18, timezone="America/Chicago", now=now) is None


@pytest.mark.promise("A6")
def test_a_leap_day_child_comes_of_age_when_february_is_over() -> None:
    found = end_of_right(date(2012, 2, 29), age_of_majority=19, timezone="UTC", now=datetime(2024, 1, 1, tzinfo=UTC))
    assert found == datetime(2031, 3, 1, tzinfo=UTC)
