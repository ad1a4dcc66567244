"""Who asks, as Consents may name them. Pure.

A Consent names an app surely by our own identifier of it. A name proves nothing: it is a denial's concern when it may
be the app's, and never a permission's.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from smartapp.consent.directives.model import Actor, Match, Token
from smartapp.consent.directives.reading import ACT_REASON

_PERSONS: Final = frozenset({"Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Person"})
_GENERIC: Final = frozenset(
    {"and", "app", "apps", "care", "center", "centre", "clinic", "com", "company", "corp", "example", "for", "group",
     "health", "healthcare", "hospital", "http", "https", "imaging", "inc", "llc", "ltd", "medical", "org", "radiology",
     "service", "services", "system", "systems", "the", "www"}
)  # fmt: skip
"""Words that half of all hospitals and apps have in their names: sharing one says nothing."""
_WHOLE: Final = 3
"""A word as short as this has to be one of the other name's words; longer ones may be a part of them."""

ASKS: Final = {"access": Match.YES, "disclose": Match.YES, "use": Match.MAYBE, "collect": Match.NO, "correct": Match.NO}
"""What an app does here, by the codes of consentaction. What it does afterwards (`use`) nobody here can hinder."""
_CONSENT_ACTION: Final = "http://terminology.hl7.org/CodeSystem/consentaction"
_PURPOSES: Final = frozenset(
    {"TREAT", "ETREAT", "COC", "HPAYMT", "HOPERAT", "HRESCH", "PATRQT", "FAMRQT", "PUBHLTH", "HMARKT"}
)
_KIN: Final = (frozenset({"PATRQT", "FAMRQT"}), frozenset({"TREAT", "ETREAT", "COC"}))
"""Purposes of which one may be meant by the other (HL7 v3 ActReason is a tree)."""


@dataclass(frozen=True)
class Asker:
    """An app that asks for a purpose. `names`: all that it is called, and where it lives on the web; none: unknown."""

    identifier: Token
    purpose: str
    names: tuple[str, ...] = ()


def is_actor(asker: Asker, actors: tuple[Actor, ...]) -> Match:
    """Whether one of the actors is the app; where none is named, it is everybody."""
    return max((_is(asker, actor) for actor in actors), default=Match.YES)


def asks_so(actions: tuple[Token, ...]) -> Match:
    """Whether one of the actions is what apps do here."""
    told = (ASKS.get(code, Match.MAYBE) if system == _CONSENT_ACTION else Match.MAYBE for system, code in actions)
    return max(told, default=Match.YES)


def asks_for(asker: Asker, purposes: tuple[Token, ...]) -> Match:
    """Whether one of the purposes is the app's."""
    return max((_for(asker.purpose, purpose) for purpose in purposes), default=Match.YES)


def _for(mine: str, purpose: Token) -> Match:
    system, code = purpose
    if system != ACT_REASON or code not in _PURPOSES or mine not in _PURPOSES:
        return Match.MAYBE
    if code == mine:
        return Match.YES
    return Match.MAYBE if any({code, mine} <= kin for kin in _KIN) else Match.NO


def _is(asker: Asker, actor: Actor) -> Match:
    mine, _ = asker.identifier
    ours = {value for system, value in actor.identifiers if system == mine}
    if not actor.receives or actor.custodian:
        return Match.MAYBE  # the rule is about how the hospital hands on, and may be about anybody who gets it
    if ours:
        return Match.YES if asker.identifier[1] in ours else Match.NO
    if actor.type in _PERSONS:
        return Match.NO
    if actor.type != "Organization" or actor.named is None:
        return Match.MAYBE
    return Match.NO if _strangers(actor.named.names, asker.names) else Match.MAYBE


def _strangers(theirs: Collection[str], mine: Collection[str]) -> bool:
    """Whether the names are evidently of two: each says something, and no telling word is in both."""
    telling, others = _words(theirs) - _GENERIC, _words(mine) - _GENERIC
    if not telling or not others:
        return False
    run_on = [re.sub(r"[\W_]+", "", _folded(name)) for name in mine]
    return not any(word in others or (len(word) > _WHOLE and any(word in name for name in run_on)) for word in telling)


def _words(names: Iterable[str]) -> frozenset[str]:
    return frozenset(word for name in names for word in re.findall(r"[^\W_]+", _folded(name)) if len(word) > 1)


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name)
    return "".join(each for each in plain if not unicodedata.combining(each)).casefold()
