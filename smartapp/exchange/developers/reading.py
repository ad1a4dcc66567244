"""Values of a registration's JSON, read strictly: a value of another type than RFC 7591 §2 says is refused."""

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from smartapp.exchange.developers.refusal import RegistrationRefused

Document = Mapping[str, Any]
"""What the developer sent. Names that we do not know are ignored (RFC 7591 §2)."""

_LONGEST: Final = 2048
_UNSEEN: Final = frozenset({"Zl", "Zp"})


def text(document: Document, name: str, *, longest: int = _LONGEST) -> str:
    """The string under `name`, or "" when it is absent or null (RFC 7592 §2.2). Raises RegistrationRefused."""
    value = document.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest or not printable(value):
        raise RegistrationRefused(name, "text")
    return value


def texts(document: Document, name: str, *, most: int, longest: int = _LONGEST) -> tuple[str, ...]:
    """The list of strings under `name`, each once; empty when absent or null. Raises RegistrationRefused."""
    value = document.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise RegistrationRefused(name, "list")
    if len(value) > most:
        raise RegistrationRefused(name, "many")
    if any(len(each) > longest or not printable(each) for each in value):
        raise RegistrationRefused(name, "text")
    return tuple(dict.fromkeys(value))


def printable(value: str) -> bool:
    """Nothing that is not seen, or that changes how its neighbours are seen: controls, bidi marks, line ends."""
    return not any((category := unicodedata.category(sign)).startswith("C") or category in _UNSEEN for sign in value)
