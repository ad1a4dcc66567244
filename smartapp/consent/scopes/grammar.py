"""Reads scope strings, and prints them (SMART App Launch 2.2, scopes and launch context; RFC 6749 §3.3). Pure.

`(patient|user|system)/(Type|*).<in-order subset of cruds>[?param=value[&…]]`, the v1 forms `.read`, `.write` and `.*`,
and a few words. Whatever else is in a string is kept apart as unusable: it reaches nothing.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, unquote

from smartapp.consent.scopes.model import ANY_TYPE, LETTERS, Filter, Level, ResourceScope, Scopes
from smartapp.consent.scopes.parameters import understood

WORDS: Final = (
    "launch",
    "launch/patient",
    "launch/imagingstudy",
    "openid",
    "fhirUser",
    "offline_access",
    "online_access",
)
"""The words we know, in the order in which they are printed."""

V1: Final = {"read": "rs", "write": "cud", "*": LETTERS}
"""What the v1 forms mean (SMART App Launch 2.2, scopes for requesting FHIR resources)."""

_V1_FORM: Final = {letters: form for form, letters in V1.items()}
_SCOPE: Final = re.compile(
    r"(?P<level>patient|user|system)/(?P<type>\*|[A-Z][A-Za-z]{1,63})\."
    r"(?P<rights>read|write|\*|(?=[cruds])c?r?u?d?s?)(?:\?(?P<query>.+))?"
)
_ROLE: Final = re.compile(r"(launch/(?:patient|imagingstudy))\?role=[\x21-\x7e]+")

MAX_LENGTH: Final = 4096
"""Characters of one scope: twenty studies by their UIDs need 1500."""
MAX_SCOPES: Final = 400
MAX_FILTERED: Final = 32
"""Scopes with filters in one string. What is over the limits is unusable: decisions look at each of them."""


def parse(text: str) -> Scopes:
    """What a scope string says. It never raises: what is not understood is in `unusable`, as it came."""
    resources: set[ResourceScope] = set()
    words: set[str] = set()
    unusable: list[str] = []
    v1 = True
    for said in dict.fromkeys(text.split()):
        scope = _resource(said)
        if word := _word(said):
            words.add(word)
        elif scope is None or not _room(resources, scope):
            unusable.append(said)
        else:
            resources.add(scope)
            v1 = v1 and _is_v1(said)
    return Scopes(frozenset(resources), frozenset(words), v1 and bool(resources), tuple(unusable))


def text(scopes: Scopes) -> str:
    """`scopes` as a string: words first, then each resource scope, always in the same order.

    A v1 request is answered in v1 form where a scope was left so that v1 can say it.
    """
    words = [word for word in WORDS if word in scopes.words]
    return " ".join([*words, *(write(scope, v1=scopes.v1) for scope in sorted(scopes.resources))])


def write(scope: ResourceScope, *, v1: bool = False) -> str:
    """One resource scope."""
    form = _V1_FORM.get(scope.letters) if v1 and not scope.filters else None
    query = "&".join(f"{one.name}={','.join(map(_quoted, one.values))}" for one in scope.filters)
    return f"{scope.level}/{scope.type}.{form or scope.letters}{'?' if query else ''}{query}"


def filters_of(pairs: Iterable[tuple[str, Iterable[str]]]) -> tuple[Filter, ...]:
    """Filters in their one order, each with its values in theirs."""
    return tuple(sorted({Filter(name, tuple(sorted(set(values)))) for name, values in pairs}))


def _word(said: str) -> str:
    """A role that we do not know gives the context itself (SMART App Launch 2.2, launch context)."""
    if match := _ROLE.fullmatch(said):
        return match[1]
    return said if said in WORDS else ""


def _is_v1(said: str) -> bool:
    return "?" not in said and said.rpartition(".")[2] in V1


def _room(resources: set[ResourceScope], scope: ResourceScope) -> bool:
    filtered = bool(scope.filters) and sum(bool(one.filters) for one in resources) >= MAX_FILTERED
    return not filtered and len(resources) < MAX_SCOPES


def _resource(said: str) -> ResourceScope | None:
    match = _SCOPE.fullmatch(said) if len(said) <= MAX_LENGTH and said.isascii() else None
    if match is None:
        return None
    level, type_, rights, query = match.groups()
    if query is None:
        return ResourceScope(Level(level), type_, V1.get(rights, rights))
    if type_ == ANY_TYPE or rights in V1:
        return None
    filters = _filters(type_, query)
    return ResourceScope(Level(level), type_, rights, filters) if filters else None


def _filters(type_: str, query: str) -> tuple[Filter, ...] | None:
    """None when any part is not understood: a scope is never used without one of its filters."""
    pairs = []
    for part in query.split("&"):
        name, _, listed = part.partition("=")
        values = _decoded(listed).split(",")
        if not all(understood(type_, name, value) for value in values):
            return None
        pairs.append((name, values))
    return filters_of(pairs)


def _decoded(value: str) -> str:
    """Percent-decoded (RFC 3986 §2.1); what is no UTF-8 becomes a value that nothing understands."""
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        return ""


def _quoted(value: str) -> str:
    """What RFC 6749 §3.3 forbids in a scope, and what would be read as more than a value, is percent-encoded."""
    return quote(value, safe="/:|.-_~@!$*;()'")
