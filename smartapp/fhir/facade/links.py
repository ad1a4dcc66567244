"""The `next` links of searches (R4 http.html#paging): sealed, so that nobody can edit what they ask, for one grant."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass

from smartapp.consent.model import AppPrincipal
from smartapp.errors import BadInput, KeysUnavailable
from smartapp.security.envelope import IntegrityError
from smartapp.security.keyring import Keyring

PARAMETER = "_page"
_LONGEST = 16384


@dataclass(frozen=True)
class Page:
    """Where a search goes on: its parameters as they came, and how many matches were given before."""

    type: str
    pairs: tuple[tuple[str, str], ...]
    offset: int


def seal(keyring: Keyring, principal: AppPrincipal, page: Page) -> str:
    """The page as the value of `_page`."""
    text = json.dumps([page.type, page.pairs, page.offset]).encode()
    return urlsafe_b64encode(keyring.seal(text, _bound(principal))).decode().rstrip("=")


def open_(keyring: Keyring, principal: AppPrincipal, type_: str, value: str) -> Page:
    """What was sealed. BadInput for what was not, was changed, or is another grant's or another type's."""
    try:
        if len(value) > _LONGEST:
            raise BadInput("fhir-page")
        blob = urlsafe_b64decode(value.encode("ascii") + b"=" * (-len(value) % 4))
        found, pairs, offset = json.loads(keyring.open_(blob, _bound(principal)))
    except (IntegrityError, KeysUnavailable, Base64Error, ValueError):
        raise BadInput("fhir-page") from None
    if found != type_:
        raise BadInput("fhir-page")
    return Page(found, tuple((name, value) for name, value in pairs), offset)


def _bound(principal: AppPrincipal) -> bytes:
    """A link is good for whoever holds the grant, at one provider and for one client."""
    return f"fhir-page\x1f{principal.patient.provider}\x1f{principal.client_id}\x1f{principal.grant_id}".encode()
