"""Periods of FHIR (R4 datatypes.html#Period) as stretches of time, and of whole days. Pure."""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final

from smartapp.consent.directives.model import Match, Span

_DATE: Final = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?", re.ASCII)
_FOR_EVER: Final = datetime.max.replace(tzinfo=UTC)


def read_span(value: Any, zone: tzinfo) -> Span:
    """The stretch that a Period means: both ends belong to it, a year or a day as a whole, at the hospital (`zone`)."""
    if not isinstance(value, dict):
        return Span(unclear=True)
    start, end = _moments(value.get("start"), zone), _moments(value.get("end"), zone)
    lost = any(name in value and got is None for name, got in (("start", start), ("end", end)))
    unclear = lost or bool(value.keys() - {"id", "extension", "start", "end"})
    return Span(start[0] if start else None, end[1] if end else None, unclear)


def on_day(span: Span, day: date | None, zone: tzinfo) -> Match:
    """Whether the day at the hospital lies in it: MAYBE when only a part of it does, or the day is not known."""
    if day is None:
        return Match.MAYBE
    begins, over = _midnight(day, zone), _FOR_EVER if day == date.max else _midnight(day + timedelta(days=1), zone)
    if (span.start is not None and over <= span.start) or (span.end is not None and begins >= span.end):
        return Match.NO
    whole = (span.start is None or span.start <= begins) and (span.end is None or over <= span.end)
    return Match.YES if whole and not span.unclear else Match.MAYBE


def _moments(value: Any, zone: tzinfo) -> tuple[datetime, datetime] | None:
    """The first moment of what is written, and the first one after it; None for what is no dateTime."""
    if not isinstance(value, str):
        return None
    try:
        return _day(value, zone) or _time(value, zone)
    except (ValueError, OverflowError):
        return None


def _day(value: str, zone: tzinfo) -> tuple[datetime, datetime] | None:
    match = _DATE.fullmatch(value)
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    assert year is not None  # noqa: S101 - the pattern has it
    first = date(year, month or 1, day or 1)
    last = date(year, month or 12, day or monthrange(year, month or 12)[1])
    return _midnight(first, zone), _FOR_EVER if last == date.max else _midnight(last + timedelta(days=1), zone)


def _time(value: str, zone: tzinfo) -> tuple[datetime, datetime] | None:
    match = _TIME.fullmatch(value)
    if match is None:
        return None
    moment = datetime.fromisoformat(value)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return moment, moment + (timedelta(seconds=1) if match[1] else timedelta(minutes=1))


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)
