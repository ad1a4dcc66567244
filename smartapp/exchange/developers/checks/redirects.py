"""Redirect URIs (RFC 6749 §3.1.2, RFC 8252 §7.3, RFC 9700 §4.1): https, or http to the reader's own machine."""

from typing import Final
from urllib.parse import parse_qsl

from smartapp.exchange.developers import addresses
from smartapp.exchange.developers.checks.grant_types import CODE
from smartapp.exchange.developers.reading import Document, texts
from smartapp.exchange.developers.refusal import RegistrationRefused

_MOST: Final = 20
_LONGEST: Final = 1000
_ANSWERS: Final = frozenset({"code", "state", "iss", "error", "error_description", "error_uri"})
"""Parameters of our answers: in the address itself they would stand there twice."""


def read(document: Document, grants: tuple[str, ...]) -> tuple[str, ...]:
    """The redirect URIs; at least one where codes are to be sent to, none where there are no codes."""
    found = texts(document, "redirect_uris", most=_MOST, longest=_LONGEST)
    if bool(found) != (CODE in grants):
        raise RegistrationRefused("redirect_uris", "missing" if not found else "unused", "invalid_redirect_uri")
    _check("redirect_uris", found)
    return found


def read_after_sign_out(document: Document) -> tuple[str, ...]:
    """Where people may be led after signing out (OpenID Connect RP-Initiated Logout 1.0 §3.1)."""
    found = texts(document, "post_logout_redirect_uris", most=_MOST, longest=_LONGEST)
    _check("post_logout_redirect_uris", found)
    return found


def _check(field: str, found: tuple[str, ...]) -> None:
    for each in found:
        address = addresses.read(each)
        if address is None or (address.scheme != "https" and not address.loopback):
            raise RegistrationRefused(field, "address", "invalid_redirect_uri")
        query = address.rest.partition("?")[2]
        if _ANSWERS & {name for name, _ in parse_qsl(query, keep_blank_values=True)}:
            raise RegistrationRefused(field, "query", "invalid_redirect_uri")
