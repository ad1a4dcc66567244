"""What tokens may carry at most, said as scopes. Pure."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from smartapp.consent.grants.model import Terms
from smartapp.consent.scopes.algebra import intersect
from smartapp.consent.scopes.grammar import parse, text
from smartapp.consent.scopes.model import Scopes
from smartapp.consent.scopes.statement import statement

_OF_THE_FAMILY: Final = frozenset(
    {"launch", "launch/patient", "launch/imagingstudy", "offline_access", "online_access"}
)
"""Words of how the family began and how long it lives: no later version of the grant takes them back."""


def stated(scope: str, terms: Terms, shown: Callable[[str], str]) -> str:
    """The `scope` that a code was made for, as far as the newest `terms` go, as well as scopes can say it."""
    asked = parse(scope)
    both = intersect(asked, terms.scopes)
    words = both.words | (asked.words & _OF_THE_FAMILY)
    return text(statement(replace(both, words=words), terms, shown))


def within(scope: str, offered: str) -> Scopes:
    """As much of a token's `scope` as the operator lets the app have now (`offered`; empty: all of it)."""
    carried = parse(scope)
    if not offered:
        return carried
    both = intersect(carried, parse(offered))
    return replace(both, words=both.words | (carried.words & _OF_THE_FAMILY))
