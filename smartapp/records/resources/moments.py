"""Dates and times as FHIR writes and searches them (R4 §3.1.1.4.7, datatypes.html#dateTime). Pure."""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from smartapp.errors import BadInput
from smartapp.records.resources.model import Moments

_VALUE: Final = re.compile(
    r"(?P<prefix>eq|ne|gt|lt|ge|le|sa|eb|ap)?(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:T(?P<clock>[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)(?P<zone>Z|[+ -][0-9]{2}:[0-9]{2})?)?)?)?",
    re.ASCII,
)
_SECOND: Final = timedelta(seconds=1)
_ALMOST: Final = timedelta(days=1)
"""How far off `ap` may be."""


def written(moment: datetime) -> str:
    """A moment as a dateTime. Midnight is how a day without a time is kept: it is written as the day."""
    whole = moment.replace(microsecond=0)
    return whole.date().isoformat() if whole.time() == time() else whole.isoformat()


def instant(moment: datetime) -> str:
    """A moment as an instant, in UTC, to the second."""
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def span(moment: datetime) -> Moments:
    """What a written moment stands for: its second, or its day."""
    whole = moment.replace(microsecond=0)
    return whole, whole + (timedelta(days=1) if whole.time() == time() else _SECOND)


def matches(value: str, found: Moments | None, zone: tzinfo) -> bool:
    """Whether what a resource says fits one value of a date parameter. BadInput for what is none.

    A value that names no zone is meant at the hospital. A resource without the date fits nothing.
    """
    prefix, (low, high) = _read(value, zone)
    if found is None:
        return False
    first, last = found
    return {
        "eq": low <= first and last <= high,
        "ne": not (low <= first and last <= high),
        "gt": last > high,
        "lt": first < low,
        "ge": last > high or (low <= first and last <= high),
        "le": first < low or (low <= first and last <= high),
        "sa": first >= high,
        "eb": last <= low,
        "ap": first < high + _ALMOST and last > low - _ALMOST,
    }[prefix]


def _read(value: str, zone: tzinfo) -> tuple[str, Moments]:
    match = _VALUE.fullmatch(value)
    if match is None:
        raise BadInput("fhir-date")
    try:
        return match["prefix"] or "eq", _bounds(match, zone)
    except (ValueError, OverflowError):
        raise BadInput("fhir-date") from None


def _bounds(match: re.Match[str], zone: tzinfo) -> Moments:
    if match["clock"]:
        text = f"{match['year']}-{match['month']}-{match['day']}T{match['clock']}"
        offset = (match["zone"] or "").replace(" ", "+")  # a plus that was not escaped in the address
        low = datetime.fromisoformat(text + offset)
        low = low if low.tzinfo else low.replace(tzinfo=zone)
        low.astimezone(UTC)
        precision = _SECOND if match["clock"].count(":") == 2 else timedelta(minutes=1)
        return low, low + precision
    first = date(int(match["year"]), int(match["month"] or 1), int(match["day"] or 1))
    if match["day"]:
        last = first
    else:
        month = int(match["month"] or 12)
        last = first.replace(month=month, day=monthrange(first.year, month)[1])
    return _midnight(first, zone), _midnight(last + timedelta(days=1), zone)


def _midnight(day: date, zone: tzinfo) -> datetime:
    found = datetime(day.year, day.month, day.day, tzinfo=zone)
    found.astimezone(UTC)
    return found
