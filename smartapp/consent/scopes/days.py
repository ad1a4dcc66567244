"""Values of the search parameters `started` and `date`, as days (FHIR R4 §3.1.1.4.7). Pure.

What we know of a study is its day at the hospital, so a value that names a time of day cannot be decided, and is none.
"""

import re
from calendar import monthrange
from collections.abc import Iterable
from datetime import date
from typing import Final

Days = tuple[tuple[int, int], ...]
"""Stretches of days as proleptic ordinals, both ends inclusive; sorted, and no two of them touch."""

_FIRST: Final = date.min.toordinal()
_LAST: Final = date.max.toordinal()
_VALUE: Final = re.compile(
    r"(?P<prefix>eq|ne|gt|lt|ge|le|sa|eb)?(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2}))?)?"
)


def read(value: str) -> Days | None:
    """The days that a value means: a year, a month or a day, with a prefix or without. None when it is none."""
    match = _VALUE.fullmatch(value)
    if match is None:
        return None
    try:
        first, last = _named(match["year"], match["month"], match["day"])
    except ValueError:
        return None
    before, after = (_FIRST, first - 1), (last + 1, _LAST)
    return _joined(
        {
            "ne": (before, after),
            "gt": (after,),
            "sa": (after,),
            "lt": (before,),
            "eb": (before,),
            "ge": ((first, _LAST),),
            "le": ((_FIRST, last),),
        }.get(match["prefix"] or "eq", ((first, last),))
    )


def any_of(values: Iterable[str]) -> Days:
    """The days that at least one of the values means; one that is none means no day."""
    return _joined(stretch for value in values for stretch in read(value) or ())


def both(one: Days, other: Days) -> Days:
    """The days that are in both."""
    return _joined((max(a, c), min(b, d)) for a, b in one for c, d in other)


def within(inner: Days, outer: Days) -> bool:
    """Whether every day of `inner` is one of `outer`."""
    return all(any(a <= first and last <= b for a, b in outer) for first, last in inner)


def holds(days: Days, day: date) -> bool:
    """Whether this day is one of them."""
    return any(first <= day.toordinal() <= last for first, last in days)


def _named(year: str, month: str | None, day: str | None) -> tuple[int, int]:
    """ValueError for a day that no calendar has."""
    if month is None:
        return date(int(year), 1, 1).toordinal(), date(int(year), 12, 31).toordinal()
    first = date(int(year), int(month), int(day or 1))
    last = first if day else first.replace(day=monthrange(first.year, first.month)[1])
    return first.toordinal(), last.toordinal()


def _joined(stretches: Iterable[tuple[int, int]]) -> Days:
    joined: list[tuple[int, int]] = []
    for first, last in sorted(stretch for stretch in stretches if stretch[0] <= stretch[1]):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return tuple(joined)
