"""What of an EHR's resource is handed on: the elements that are listed here, where they are what R4 says. Pure.

An element that is not listed is left out, and so is one of another type than R4 gives it: what leaves can be validated,
and nothing leaves that nobody thought of.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from smartapp.fhir.upstream.documents import Json

Taken = Callable[[Any], Any]
"""Takes what an element holds and gives what of it is handed on; None for nothing."""

_MOST: Final = 200
"""Repetitions of one element."""


def matching(pattern: str, limit: int = 4096) -> Taken:
    """Text that fits the pattern as a whole."""
    compiled = re.compile(pattern, re.ASCII)

    def take(value: Any) -> Any:
        return value if isinstance(value, str) and len(value) <= limit and compiled.fullmatch(value) else None

    return take


def words(value: Any) -> Any:
    """A string: not empty, and without control characters (R4 datatypes.html#string)."""
    if not isinstance(value, str) or not value.strip() or len(value) > 2**20:
        return None
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", value) or None


def flag(value: Any) -> Any:
    """A boolean."""
    return value if isinstance(value, bool) else None


def whole(value: Any) -> Any:
    """A number of things, not negative."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None


def many(inner: Taken) -> Taken:
    """A list; a lone value counts as a list of one, as some servers send it."""

    def take(value: Any) -> Any:
        found = [inner(each) for each in (value if isinstance(value, list) else [value])[:_MOST]]
        return [each for each in found if each is not None] or None

    return take


def shape(**elements: Taken) -> Taken:
    """An object with these elements and no others; None where none of them is left."""

    def take(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return None
        return keep(value, elements) or None

    return take


def keep(value: Mapping[str, Any], elements: Mapping[str, Taken]) -> Json:
    """The listed elements of an object. A trailing underscore in a listed name is Python's, not FHIR's."""
    found = ((name.rstrip("_"), take(value.get(name.rstrip("_")))) for name, take in elements.items())
    return {name: taken for name, taken in found if taken is not None}


CODE: Final = matching(r"[^\s]+(?:\s[^\s]+)*", 200)
URI: Final = matching(r"\S+", 2048)
ID: Final = matching(r"[A-Za-z0-9\-.]{1,64}")
_DAY: Final = r"[0-9]{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01]))?)?"
_CLOCK: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])"
DATE: Final = matching(_DAY)
DATE_TIME: Final = matching(rf"{_DAY}|[0-9]{{4}}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T{_CLOCK}")
INSTANT: Final = matching(rf"[0-9]{{4}}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T{_CLOCK}")
PERIOD: Final = shape(start=DATE_TIME, end=DATE_TIME)
CODING: Final = shape(system=URI, version=words, code=CODE, display=words, userSelected=flag)
CONCEPT: Final = shape(coding=many(CODING), text=words)


def one_of(*codes: str) -> Taken:
    """One of R4's codes for the element."""
    return lambda value: value if isinstance(value, str) and value in codes else None


IDENTIFIER: Final = shape(
    use=one_of("usual", "official", "temp", "secondary", "old"), type=CONCEPT, system=URI, value=words, period=PERIOD
)
NAME: Final = shape(
    use=one_of("usual", "official", "temp", "nickname", "anonymous", "old", "maiden"),
    text=words,
    family=words,
    given=many(words),
    prefix=many(words),
    suffix=many(words),
    period=PERIOD,
)
CONTACT: Final = shape(
    system=one_of("phone", "fax", "email", "pager", "url", "sms", "other"),
    value=words,
    use=one_of("home", "work", "temp", "old", "mobile"),
    period=PERIOD,
)
ADDRESS: Final = shape(
    use=one_of("home", "work", "temp", "old", "billing"),
    type=one_of("postal", "physical", "both"),
    text=words,
    line=many(words),
    city=words,
    district=words,
    state=words,
    postalCode=words,
    country=words,
    period=PERIOD,
)
GENDER: Final = one_of("male", "female", "other", "unknown")
