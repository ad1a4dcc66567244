"""What a request shows of its client, before any of it is believed (RFC 6749 §2.3, RFC 7521 §4.2)."""

from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import unquote_plus

from smartapp.authserver.errors import InvalidClient, InvalidRequest
from smartapp.authserver.requests import OAuthRequest

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DOUBLE: Final = "client.auth.double"
_LONGEST: Final = 1024
_NAMING: Final = ("client_id", "client_secret", "client_assertion", "client_assertion_type")

Mechanism = Literal["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]


class TwoMechanisms(InvalidRequest):
    """RFC 6749 §2.3: a client MUST NOT use more than one authentication method in a request."""

    description = "Use one client authentication method in a request, not two."


@dataclass(frozen=True)
class Shown:
    """The one mechanism that was used. `client_id` is what the request calls itself; an assertion has its own say."""

    mechanism: Mechanism
    client_id: str
    secret: str = field(default="", repr=False)
    assertion: str = field(default="", repr=False)


def says_who(request: OAuthRequest) -> bool:
    """Whether `request` names its client at all, by whatever mechanism."""
    return bool(request.header("Authorization")) or any(name in request.form for name in _NAMING)


def read(request: OAuthRequest) -> Shown:
    """The mechanism that `request` uses.

    Raises TwoMechanisms, InvalidRequest where it does not say who it is, InvalidClient for a header that is none.
    """
    form = request.form
    header = request.header("Authorization")
    assertion = "client_assertion" in form or "client_assertion_type" in form
    if bool(header) + assertion + ("client_secret" in form) > 1:
        raise TwoMechanisms
    client_id = form.get("client_id", "")
    if header:
        return _basic(header, client_id)
    if assertion:
        if form.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in form:
            raise InvalidClient("client.auth.malformed")
        return Shown("private_key_jwt", client_id, assertion=form["client_assertion"])
    if not client_id:
        raise InvalidRequest
    if "client_secret" in form:
        return Shown("client_secret_post", client_id, secret=form["client_secret"])
    return Shown("none", client_id)


def _basic(header: str, client_id: str) -> Shown:
    """RFC 7617, with both halves form-encoded first (RFC 6749 §2.3.1). A `client_id` in the body must be the same."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic" or len(credentials) > _LONGEST:
        raise InvalidClient(basic=True)
    try:
        user, colon, secret = b64decode(credentials, validate=True).decode("utf-8").partition(":")
    except (Base64Error, ValueError):
        raise InvalidClient("client.auth.malformed", basic=True) from None
    name = unquote_plus(user)
    if not colon or not name or (client_id and client_id != name):
        raise InvalidClient("client.auth.claims", basic=True)
    return Shown("client_secret_basic", name, secret=unquote_plus(secret))
