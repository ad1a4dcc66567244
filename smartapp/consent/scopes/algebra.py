"""What scopes mean together (threats.md, property 5). Pure.

Scopes are compared by what they reach, not by how they are written. Where that cannot be decided, `contains` says no.
"""

from itertools import product
from math import prod
from typing import Final

from smartapp.consent.scopes import days
from smartapp.consent.scopes.grammar import filters_of
from smartapp.consent.scopes.model import ANY_TYPE, LETTERS, Filter, Level, ResourceScope, Scopes
from smartapp.consent.scopes.parameters import PARAMETERS, SINGLE, Kind, implies

_MOST_CASES: Final = 256
"""Ways to choose one value of each filter that `contains` looks at; what has more is taken as not contained."""


def union(one: Scopes, two: Scopes) -> Scopes:
    """What either reaches."""
    return Scopes(
        one.resources | two.resources,
        one.words | two.words,
        v1=all(each.v1 for each in (one, two) if each.resources) and bool(one.resources | two.resources),
        unusable=tuple(dict.fromkeys(one.unusable + two.unusable)),
    )


def intersect(one: Scopes, two: Scopes) -> Scopes:
    """What both reach, written as `one` is: in v1 form if that was. It holds only what somebody understood."""
    met = {both for a in one.resources for b in two.resources if (both := _meet(a, b)) is not None}
    said = one.resources | two.resources
    kept = {each for each in met if each in said or not any(_absorbs(other, each) for other in met)}
    return Scopes(frozenset(kept), one.words & two.words, v1=one.v1 and bool(kept))


def contains(wide: Scopes, narrow: Scopes) -> bool:
    """Whether `narrow` reaches nothing that `wide` does not: words, interactions, types and filters alike.

    What was not understood in `narrow` is no part of anything, so then it is not contained.
    """
    if narrow.unusable or not narrow.words <= wide.words:
        return False
    return all(_held(wide, scope, letter) for scope in narrow.resources for letter in scope.letters)


def only(scopes: Scopes, level: Level) -> Scopes:
    """The resource scopes of one level; the words stay."""
    kept = frozenset(scope for scope in scopes.resources if scope.level is level)
    return Scopes(kept, scopes.words, v1=scopes.v1 and bool(kept))


def may(scopes: Scopes, type_: str, letter: str) -> bool:
    """Whether any scope speaks of this type and interaction, at whatever level and however it is filtered."""
    return any(scope.covers(type_, letter) for scope in scopes.resources)


def is_empty(scopes: Scopes) -> bool:
    """Whether nothing is left: `invalid_scope` (RFC 6749 §5.2)."""
    return not scopes.resources and not scopes.words


def narrowed(scope: ResourceScope, *more: Filter) -> ResourceScope | None:
    """`scope` with further filters, each of which must hold; None when nothing can satisfy them all."""
    filters = _simple(scope.type, {*scope.filters, *more})
    return None if filters is None else ResourceScope(scope.level, scope.type, scope.letters, filters)


def _meet(one: ResourceScope, two: ResourceScope) -> ResourceScope | None:
    type_ = two.type if one.type == ANY_TYPE else one.type
    letters = "".join(letter for letter in LETTERS if letter in one.letters and letter in two.letters)
    if one.level is not two.level or not letters or not two.covers(type_, letters[0]):
        return None
    return narrowed(ResourceScope(one.level, type_, letters, one.filters), *two.filters)


def _simple(type_: str, filters: set[Filter]) -> tuple[Filter, ...] | None:
    """Without filters that others imply; None when no resource could satisfy all."""
    kept: list[Filter] = []
    for name in {each.name for each in filters}:
        same = sorted(each for each in filters if each.name == name)
        if name in SINGLE and len(same) > 1:
            left = [v for v in same[0].values if all(_any_holds(type_, v, other) for other in same[1:])]
            same = [Filter(name, tuple(left))] if left else []
        if not same or _is_never(type_, same):
            return None
        kept += _weakest_out(type_, same)
    return filters_of((each.name, each.values) for each in kept)


def _weakest_out(type_: str, same: list[Filter]) -> list[Filter]:
    """Of filters of one name, those that no other implies; of two that say the same, the first."""
    kept: list[Filter] = []
    for each in same:
        if not any(_implied(type_, one, each) for one in kept):
            kept = [one for one in kept if not _implied(type_, each, one)] + [each]
    return kept


def _implied(type_: str, strong: Filter, weak: Filter) -> bool:
    """Whether whatever satisfies `strong` satisfies `weak`; both are of one name."""
    if _is_days(type_, strong.name):
        return days.within(days.any_of(strong.values), days.any_of(weak.values))
    return all(_any_holds(type_, value, weak) for value in strong.values)


def _any_holds(type_: str, value: str, filter_: Filter) -> bool:
    return any(implies(type_, filter_.name, value, wide) for wide in filter_.values)


def _is_never(type_: str, same: list[Filter]) -> bool:
    return _is_days(type_, same[0].name) and not _common_days(same)


def _common_days(filters: list[Filter]) -> days.Days:
    common = days.any_of(filters[0].values)
    for each in filters[1:]:
        common = days.both(common, days.any_of(each.values))
    return common


def _is_days(type_: str, name: str) -> bool:
    return PARAMETERS[type_][name] is Kind.DAY


def _absorbs(wide: ResourceScope, narrow: ResourceScope) -> bool:
    """Whether `narrow` adds nothing to `wide`. Of two that say the same, only one is absorbed."""
    if wide == narrow or not _covers(wide, narrow):
        return False
    return wide < narrow or not _covers(narrow, wide)


def _covers(wide: ResourceScope, narrow: ResourceScope) -> bool:
    return (
        wide.level is narrow.level
        and all(wide.covers(narrow.type, letter) for letter in narrow.letters)
        and _satisfies(narrow.type, narrow.filters, wide)
    )


def _held(wide: Scopes, scope: ResourceScope, letter: str) -> bool:
    """Whether each case of `scope` lies in one of the scopes of `wide`.

    A list of values is a union of cases: `modality=CT,MR` may be held by two scopes. A repeated date is one case, with
    the days that all of its filters mean.
    """
    held = [one for one in wide.resources if one.level is scope.level and one.covers(scope.type, letter)]
    if any(_satisfies(scope.type, scope.filters, one) for one in held):
        return True
    split = [each for each in scope.filters if not _is_days(scope.type, each.name)]
    dated = tuple(each for each in scope.filters if each not in split)
    if not held or prod(len(each.values) for each in split) > _MOST_CASES:
        return False
    cases = product(*([Filter(each.name, (value,)) for value in each.values] for each in split))
    return all(any(_satisfies(scope.type, (*case, *dated), one) for one in held) for case in cases)


def _satisfies(type_: str, filters: tuple[Filter, ...], wide: ResourceScope) -> bool:
    """Whether whatever satisfies all of `filters` satisfies every filter of `wide`."""
    for each in wide.filters:
        same = [one for one in filters if one.name == each.name]
        if not same:
            return False
        if _is_days(type_, each.name):
            if not days.within(_common_days(same), days.any_of(each.values)):
                return False
        elif not any(_implied(type_, one, each) for one in same):
            return False
    return True
