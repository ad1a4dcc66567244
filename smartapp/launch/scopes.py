"""SMART scopes as a client needs them: what to ask, and what of it was granted (SMART App Launch 2.2, scopes)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from smartapp.launch.model import Mode

OFFLINE = "offline_access"
_LETTERS = "cruds"
_V1 = {"read": "rs", "write": "cud", "*": _LETTERS}
_CLINICAL = re.compile(r"(patient|user|system)/(\*|[A-Z][A-Za-z]+)\.(read|write|\*|c?r?u?d?s?)(?:\?([!->@-~]+))?")


@dataclass(frozen=True)
class _Clinical:
    level: str
    type: str
    letters: str
    filters: frozenset[str]


def asked_for(configured: Iterable[str], mode: Mode, *, lasting: bool = False) -> tuple[str, ...]:
    """The scopes to ask: `launch` names an EHR's launch, `launch/patient` asks it to let the person choose a record.

    `lasting`: for a credential that outlives the person's presence, `offline_access` in the place of `online_access`.
    """
    wanted, other = ("launch", "launch/patient") if mode == "ehr" else ("launch/patient", "launch")
    kept = [scope for scope in configured if scope not in {wanted, other}]
    if lasting:
        kept = [*(scope for scope in kept if scope != "online_access"), OFFLINE]
    return tuple(dict.fromkeys([wanted, "openid", "fhirUser", *kept]))


def in_effect(asked: Iterable[str], granted: str | None) -> tuple[str, ...]:
    """What was both asked and granted, by meaning and not by spelling; a missing answer means "as asked"
    (RFC 6749 §5.1). What we cannot read as a scope has no effect.
    """
    wanted = tuple(asked)
    if granted is None:
        return wanted
    given = granted.split()
    effect: dict[str, None] = {}
    for scope in wanted:
        clinical = _parse(scope)
        if clinical is None:
            effect.update({scope: None} if scope in given else {})
            continue
        met = (_meet(clinical, other) for other in map(_parse, given) if other)
        effect.update({_text(found): None for found in met if found})
    return tuple(effect)


def is_offered(scope: str, offered: Iterable[str]) -> bool:
    """Whether a list such as `scopes_supported` holds the scope, also as a wider one or as several together."""
    clinical = _parse(scope)
    if clinical is None:
        return scope in offered
    met = [found for other in map(_parse, offered) if other and (found := _meet(clinical, other))]
    letters = {letter for found in met if found == replace(clinical, letters=found.letters) for letter in found.letters}
    return letters == set(clinical.letters)


def _parse(text: str) -> _Clinical | None:
    found = _CLINICAL.fullmatch(text)
    if not found or not found[3]:
        return None
    filters = frozenset(found[4].split("&")) if found[4] else frozenset()
    return _Clinical(found[1], found[2], _V1.get(found[3], found[3]), filters)


def _meet(one: _Clinical, two: _Clinical) -> _Clinical | None:
    letters = "".join(letter for letter in _LETTERS if letter in one.letters and letter in two.letters)
    types = {one.type, two.type}
    if one.level != two.level or not letters or (len(types) == 2 and "*" not in types):
        return None
    return _Clinical(one.level, next(iter(types - {"*"}), "*"), letters, one.filters | two.filters)


def _text(scope: _Clinical) -> str:
    query = f"?{'&'.join(sorted(scope.filters))}" if scope.filters else ""
    return f"{scope.level}/{scope.type}.{scope.letters}{query}"
