"""Dates as people write them, in the language of the page and on the clock of the hospital."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from flask_babel import get_locale
from jinja2 import pass_context
from jinja2.runtime import Context


@pass_context
def day(context: Context, value: date | datetime) -> str:
    """The day, in words. A `datetime` must be aware; its day is the one at the record's hospital."""
    if isinstance(value, datetime):
        value = value.astimezone(_zone(context)).date()
    return format_date(value, format="long", locale=get_locale())


@pass_context
def moment(context: Context, value: datetime) -> str:
    """Day and time at the record's hospital, with the name of its time zone. `value` must be aware."""
    zone = _zone(context)
    at = value.astimezone(zone)
    text = format_datetime(at, format="long", tzinfo=zone, locale=get_locale())
    return text.replace("\u202f", " ")  # some fonts have no narrow no-break space


def _zone(context: Context) -> ZoneInfo:
    zone: ZoneInfo = context["record"].timezone
    return zone
