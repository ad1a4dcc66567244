"""FHIR dates and times (R4 datatypes.html#dateTime), as aware moments and dates."""

import re
from datetime import UTC, date, datetime, tzinfo

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})?")


def read_date(value: object) -> date | None:
    """A whole date; None for a year, a month, or what is no date."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def read_moment(value: object, zone: tzinfo) -> datetime | None:
    """An aware moment. A date alone is midnight at the hospital; a time that names no zone (R4 forbids it, servers do
    it) is the hospital's too. None for less than a date.
    """
    if day := read_date(value):
        return datetime(day.year, day.month, day.day, tzinfo=zone)
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment
