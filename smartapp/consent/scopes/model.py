"""A scope that was read (SMART App Launch 2.2, scopes). Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LETTERS: Final = "cruds"
"""Create, read, update, delete, search; in this order and no other."""
ANY_TYPE: Final = "*"


class Level(StrEnum):
    """For whose data a scope is: one patient's, what a user may see, or what a system may see."""

    PATIENT = "patient"
    USER = "user"
    SYSTEM = "system"


@dataclass(frozen=True, order=True)
class Filter:
    """One search parameter of a scope: it holds when any of `values` does. `values` are sorted."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, order=True)
class ResourceScope:
    """`level/type.letters?filters`: all filters must hold. `letters` is an in-order subset of `cruds`, never empty.

    A parameter that was repeated is two filters of one name, as FHIR R4 §3.1.1.3.4 means it. `filters` are sorted.
    """

    level: Level
    type: str
    letters: str
    filters: tuple[Filter, ...] = ()

    def covers(self, type_: str, letter: str) -> bool:
        """Whether it speaks of this type and interaction, whatever its filters say then."""
        return letter in self.letters and self.type in {type_, ANY_TYPE}


@dataclass(frozen=True)
class Scopes:
    """What a scope string says: a union of resource scopes, and plain words (`launch`, `openid`, …).

    `v1`: every resource scope was written in v1 form, and an answer is written so too. `unusable` are the parts that
    say nothing we understand: they reach nothing, and are never printed.
    """

    resources: frozenset[ResourceScope] = frozenset()
    words: frozenset[str] = frozenset()
    v1: bool = False
    unusable: tuple[str, ...] = ()
