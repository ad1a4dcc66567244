"""Whether a resource has the value that a search parameter asks for (FHIR R4 §3.1.1.4.6 to .12)."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from smartapp.sandbox.ehr.fhir.errors import bad_query
from smartapp.sandbox.ehr.fhir.parameters import PARAMETERS, values
from smartapp.sandbox.ehr.resources.common import Resource

Range = tuple[datetime, datetime]
_DATE = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb)?(\d{4}(?:-\d\d(?:-\d\d(?:T\S+)?)?)?)")


def matches(resource: Resource, name: str, wanted: str, zone: ZoneInfo) -> bool:
    """Whether any of the comma-separated values fits; False for a parameter the type does not have.

    FhirError 400 for a value that cannot be read. Dates without an offset are read in the hospital's `zone`.
    """
    known = PARAMETERS[resource["resourceType"]].get(name)
    if known is None:
        return False
    kind, path = known
    found = list(values(resource, path))
    return any(_MATCHERS[kind](item, one, zone) for one in wanted.split(",") for item in found)


def check_value(type_: str, name: str, wanted: str, zone: ZoneInfo) -> None:
    """FhirError 400 if a value of a date parameter cannot be read, even when no resource is there to compare."""
    if PARAMETERS[type_][name][0] == "date":
        for one in wanted.split(","):
            _wanted_range(one, zone)


def sort_key(resource: Resource, name: str, zone: ZoneInfo) -> tuple[bool, str]:
    """Where a resource stands when sorted by a parameter; those without a value come last."""
    kind, path = PARAMETERS[resource["resourceType"]][name]
    for item in values(resource, path):
        if kind == "date":
            return False, _range(str(item), zone)[0].timestamp().__format__("020.3f")
        return False, str(item)
    return True, ""


def _token(item: Any, wanted: str, _zone: ZoneInfo) -> bool:
    if isinstance(item, dict) and "coding" in item:
        return any(_token(coding, wanted, _zone) for coding in item["coding"])
    system, bar, code = wanted.rpartition("|")
    if not isinstance(item, dict):
        return code == (str(item).lower() if isinstance(item, bool) else str(item))
    if bar and system != item.get("system", ""):
        return False
    return not code or code == item.get("value", item.get("code"))


def _reference(item: Any, wanted: str, _zone: ZoneInfo) -> bool:
    target = str(item.get("reference", ""))
    return bool(wanted) and (target == wanted or target.endswith(f"/{wanted}") or wanted.endswith(f"/{target}"))


def _string(item: Any, wanted: str, _zone: ZoneInfo) -> bool:
    if isinstance(item, dict):
        parts = [item.get("family", ""), item.get("text", ""), *item.get("given", [])]
        return any(_string(part, wanted, _zone) for part in parts)
    return str(item).casefold().startswith(wanted.casefold())


def _date(item: Any, wanted: str, zone: ZoneInfo) -> bool:
    prefix, (low, high) = _wanted_range(wanted, zone)
    return _COMPARE[prefix](_range(str(item), zone), (low, high))


_COMPARE: dict[str, Callable[[Range, Range], bool]] = {
    "eq": lambda has, asks: asks[0] <= has[0] and has[1] <= asks[1],
    "ne": lambda has, asks: not (asks[0] <= has[0] and has[1] <= asks[1]),
    "gt": lambda has, asks: has[1] > asks[1],
    "lt": lambda has, asks: has[0] < asks[0],
    "ge": lambda has, asks: has[1] > asks[1] or asks[0] <= has[0],
    "le": lambda has, asks: has[0] < asks[0] or has[1] <= asks[1],
    "sa": lambda has, asks: has[0] >= asks[1],
    "eb": lambda has, asks: has[1] <= asks[0],
}
_MATCHERS: dict[str, Callable[[Any, str, ZoneInfo], bool]] = {
    "token": _token,
    "reference": _reference,
    "string": _string,
    "date": _date,
}


def _wanted_range(wanted: str, zone: ZoneInfo) -> tuple[str, Range]:
    match = _DATE.fullmatch(wanted)
    if match is None:
        raise bad_query("A date is not written as FHIR writes dates.")
    try:
        return match[1] or "eq", _range(match[2], zone)
    except (ValueError, OverflowError) as error:
        raise bad_query("There is no such date.") from error


def _range(text: str, zone: ZoneInfo) -> Range:
    """The moments that a date of any precision covers: from, and just not to."""
    if "T" in text:
        # A form or a query turns the "+" of an offset into a space.
        moment = datetime.fromisoformat(text.replace(" ", "+"))
        start = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        width = timedelta(seconds=1) if not start.microsecond else timedelta(milliseconds=1)
        return start, start + (timedelta(minutes=1) if re.fullmatch(r"[^T]+T\d\d:\d\d(Z|[+-].*)?", text) else width)
    parts = [int(part) for part in text.split("-")]
    first = date(parts[0], parts[1] if len(parts) > 1 else 1, parts[2] if len(parts) > 2 else 1)
    days = {1: 366, 2: 31, 3: 1}[len(parts)]
    after = first + timedelta(days=days)
    after = after.replace(day=1) if len(parts) == 2 else after.replace(month=1, day=1) if len(parts) == 1 else after
    return _midnight(first, zone), _midnight(after, zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)
