"""SMART scopes, versions 1 and 2: read, compared and met (SMART App Launch 2.2 §3.0.2)."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

LETTERS = "cruds"
V1 = {"read": "rs", "write": "cud", "*": LETTERS}
PLAIN = frozenset({"openid", "fhirUser", "profile", "launch", "launch/patient", "offline_access", "online_access"})
_SHAPE = re.compile(r"(patient|user|system)/(\*|[A-Z][A-Za-z]+)\.(read|write|\*|c?r?u?d?s?)(?:\?(\S+))?")


@dataclass(frozen=True)
class Scope:
    """A resource scope: whose records (`level`), which type (or `*`), which letters, under which filters (all hold)."""

    level: str
    type: str
    letters: frozenset[str]
    filters: tuple[tuple[str, str], ...] = ()

    def allows(self, type_: str, letter: str) -> bool:
        """Whether it says `letter` for this type, its filters aside."""
        return self.type in {"*", type_} and letter in self.letters

    def __str__(self) -> str:
        letters = "".join(letter for letter in LETTERS if letter in self.letters)
        query = "&".join(f"{name}={value}" for name, value in self.filters)
        return f"{self.level}/{self.type}.{letters}" + (f"?{query}" if query else "")


def parse_scope(text: str) -> Scope | None:
    """The resource scope in `text`, or None if it is none: letters out of order, an unknown level, an empty filter."""
    match = _SHAPE.fullmatch(text)
    if match is None or not match[3]:
        return None
    filters = tuple(parse_qsl(match[4], keep_blank_values=True)) if match[4] else ()
    if any(not value for _, value in filters):
        return None
    return Scope(match[1], match[2], frozenset(V1.get(match[3], match[3])), filters)


def meet(asked: Scope, registered: Scope) -> Scope | None:
    """What both say: the narrower type, the common letters, the filters of both; None if that is nothing."""
    letters = asked.letters & registered.letters
    types = {asked.type, registered.type}
    if asked.level != registered.level or not letters or (len(types) > 1 and "*" not in types):
        return None
    type_ = next(iter(types - {"*"}), "*")
    return Scope(asked.level, type_, letters, tuple(dict.fromkeys(asked.filters + registered.filters)))


def grant(asked: tuple[str, ...], registered: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes to give: each asked one met with each registered one; one that survives whole keeps its spelling."""
    granted: dict[str, None] = {}
    offered = [scope for scope in map(parse_scope, registered) if scope]
    for text in asked:
        wanted = parse_scope(text)
        if wanted is None:
            if text in PLAIN and text in registered:
                granted[text] = None
            continue
        met = [scope for scope in (meet(wanted, offer) for offer in offered) if scope]
        granted.update({text: None} if wanted in met else {str(scope): None for scope in met})
    return tuple(granted)


def covers(held: tuple[str, ...], wanted: str) -> bool:
    """Whether `wanted` asks nothing beyond what is `held` (RFC 6749 §6), judged by meaning and not by spelling."""
    scope = parse_scope(wanted)
    if scope is None:
        return wanted in held
    rights = [right for right in map(parse_scope, held) if right and meet(scope, right)]
    return all(any(_holds(right, scope, letter) for right in rights) for letter in scope.letters)


def _holds(right: Scope, wanted: Scope, letter: str) -> bool:
    return letter in right.letters and (right.type in {"*", wanted.type}) and set(right.filters) <= set(wanted.filters)
