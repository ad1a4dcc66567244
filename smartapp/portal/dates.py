"""Dates as people write them, in the language of the page and on the clock of the hospital."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_timezone_name
from flask_babel import get_locale
from flask_babel import gettext as _
from jinja2 import pass_context
from jinja2.runtime import Context


@pass_context
def day(context: Context, value: date | datetime) -> str:
    """The day, in words. A `datetime` must be aware; its day is the one at the record's hospital."""
    return day_text(value, _zone(context))


def day_text(value: date | datetime, zone: ZoneInfo) -> str:
    """`day`, outside a template."""
    if isinstance(value, datetime):
        value = value.astimezone(zone).date()
    return format_date(value, format="long", locale=get_locale())


def iso_text(text: str) -> str:
    """A date as it is written in data, in words; a year, a month or a moment stays as it is."""
    try:
        return format_date(date.fromisoformat(text), format="long", locale=get_locale()) if len(text) == 10 else text
    except ValueError:
        return text


@pass_context
def moment(context: Context, value: datetime) -> str:
    """Day and time at the record's hospital, with the name of its time zone. `value` must be aware."""
    return moment_text(value, _zone(context))


def moment_text(value: datetime, zone: ZoneInfo) -> str:
    """`moment`, outside a template."""
    at = value.astimezone(zone)
    locale = get_locale()
    time = format_time(at, format="short", tzinfo=zone, locale=locale)
    name = get_timezone_name(at, width="short", locale=locale)
    if not name[0].isalpha():  # where a language has no short name, Babel gives an offset that few people can read
        name = get_timezone_name(at, width="long", locale=locale)
    text = _(
        "%(day)s, %(time)s %(zone)s", day=format_date(at.date(), format="long", locale=locale), time=time, zone=name
    )
    return str(text).replace("\u202f", " ")  # not every font has a narrow no-break space


def _zone(context: Context) -> ZoneInfo:
    zone: ZoneInfo = context["record"].timezone
    return zone
