"""What an app may ask patients for: no more than we offer, and system scopes for backend services alone."""

from typing import Final

from smartapp.consent.scopes import algebra, grammar
from smartapp.consent.scopes.model import Level, Scopes
from smartapp.exchange.developers.checks.grant_types import BACKEND, CODE, REFRESH
from smartapp.exchange.developers.reading import Document, text
from smartapp.exchange.developers.refusal import RegistrationRefused

WORDS: Final = (
    "openid",
    "fhirUser",
    "launch",
    "launch/patient",
    "launch/imagingstudy",
    "offline_access",
    "online_access",
)
_LASTING: Final = ("offline_access", "online_access")
_LONGEST: Final = 4096


def read(document: Document, grants: tuple[str, ...]) -> str:
    """The registered scope: what was asked, within the offer (RFC 7591 §2: we may register less). Nothing said is all.

    Raises RegistrationRefused for system scopes without client credentials, and when nothing is left.
    """
    offer, asked = offered(grants), text(document, "scope", longest=_LONGEST)
    if not asked:
        return offer
    wanted = grammar.parse(asked)
    if BACKEND not in grants and any(scope.level is Level.SYSTEM for scope in wanted.resources):
        raise RegistrationRefused("scope", "system")
    kept = algebra.intersect(wanted, grammar.parse(offer))
    if not _reaches(kept):
        raise RegistrationRefused("scope", "empty")
    return grammar.text(kept)


def offered(grants: tuple[str, ...]) -> str:
    """The widest scope for these grant types: reading only, and lasting only with refresh tokens."""
    words = [word for word in WORDS if REFRESH in grants or word not in _LASTING]
    found = [*words, "patient/*.rs"] if CODE in grants else []
    return " ".join([*found, *(["system/*.rs"] if BACKEND in grants else [])])


def _reaches(scopes: Scopes) -> bool:
    return bool(scopes.resources) or "openid" in scopes.words
