"""A Consent of the EHR's, in pieces that can be judged (FHIR R4 consent.html). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

Token = tuple[str, str]
"""A code with its system; either may be empty."""


class Unreadable(ValueError):
    """A Consent that is none: nobody can say what it forbids."""


class Match(IntEnum):
    """Whether something is what a provision speaks of. All of several: the least; one of several: the most."""

    NO = 0
    MAYBE = 1
    """It cannot be told: a denial counts then, and a permission does not."""
    YES = 2


class Effect(StrEnum):
    """Consent.provision.type."""

    DENY = "deny"
    PERMIT = "permit"


@dataclass(frozen=True)
class Named:
    """An Organization or Device that a Consent names, as the EHR shows it. `type` is its resource type."""

    type: str = "Organization"
    names: tuple[str, ...] = ()
    identifiers: tuple[Token, ...] = ()


@dataclass(frozen=True)
class Filed:
    """A Consent as it is kept: what of the resource can matter, own references made relative, and whom it names.

    `named` is by the reference as it stands in the resource; whom the EHR does not show is not in it.
    """

    resource: Mapping[str, Any] = field(repr=False)
    named: Mapping[str, Named] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Span:
    """From `start` until `end`, which is outside; None is no bound. `unclear`: a bound was written that is none."""

    start: datetime | None = None
    end: datetime | None = None
    unclear: bool = False

    def at(self, moment: datetime) -> Match:
        """Whether the moment lies in it."""
        if (self.start is not None and moment < self.start) or (self.end is not None and moment >= self.end):
            return Match.NO
        return Match.MAYBE if self.unclear else Match.YES


@dataclass(frozen=True)
class Actor:
    """Whom a provision speaks of. `receives`: in a role that gets the record. `type` is empty when nothing tells it.

    `named` None: the EHR does not show who it is. `custodian`: the one who keeps the Consent, the hospital itself.
    """

    receives: bool
    type: str
    identifiers: frozenset[Token] = frozenset()
    named: Named | None = None
    custodian: bool = False


@dataclass(frozen=True)
class Datum:
    """A resource that a provision speaks of. `reference` is one of this EHR, `uid` a Study Instance UID; when both are
    empty nothing tells which it is.
    """

    meaning: str
    reference: str = ""
    uid: str = ""


@dataclass(frozen=True)
class Provision:
    """What it decides, and what it speaks of: an empty tuple or None does not narrow it.

    `unclear`: something in it cannot be judged. `effect` None decides nothing by itself.
    """

    effect: Effect | None
    period: Span | None = None
    actors: tuple[Actor, ...] = ()
    actions: tuple[Token, ...] = ()
    purposes: tuple[Token, ...] = ()
    classes: tuple[Token, ...] = ()
    codes: tuple[Token, ...] = ()
    labels: tuple[Token, ...] = ()
    data_period: Span | None = None
    data: tuple[Datum, ...] = ()
    unclear: bool = False
    nested: tuple["Provision", ...] = ()


@dataclass(frozen=True)
class Directive:
    """One active Consent: its id at the EHR, its identifiers, and what it says. `plain`: it has the shape of those we
    write, a permission nested in an opt-out and no denial.
    """

    id: str
    root: Provision
    identifiers: frozenset[Token] = frozenset()
    plain: bool = False
