"""Grant and response types (RFC 7591 §2.1: they must agree)."""

from typing import Final

from smartapp.exchange.developers.reading import Document, texts
from smartapp.exchange.developers.refusal import RegistrationRefused

CODE: Final = "authorization_code"
REFRESH: Final = "refresh_token"
BACKEND: Final = "client_credentials"
_OFFERED: Final = (CODE, REFRESH, BACKEND)


def read(document: Document) -> tuple[str, ...]:
    """The grant types, in our order; the authorization code when none is said (RFC 7591 §2)."""
    asked = texts(document, "grant_types", most=10) or (CODE,)
    if not set(asked) <= set(_OFFERED):
        raise RegistrationRefused("grant_types", "offered")
    if REFRESH in asked and CODE not in asked:
        raise RegistrationRefused("grant_types", "refresh")
    _agree(document, asked)
    return tuple(each for each in _OFFERED if each in asked)


def _agree(document: Document, asked: tuple[str, ...]) -> None:
    responses = texts(document, "response_types", most=10)
    if not set(responses) <= {"code"} or (responses and CODE not in asked):
        raise RegistrationRefused("response_types", "offered")
