"""The assertion's claims: who, for whom, when (RFC 7523 §3)."""

from typing import Any, Final

from smartapp.authserver import addresses
from smartapp.authserver.client_auth.assertion.shape import Jws
from smartapp.authserver.errors import InvalidClient
from smartapp.authserver.requests import OAuthRequest
from smartapp.identity.apps.model import App
from smartapp.web.parts import parts

LEEWAY: Final = 60
"""Seconds by which a client's clock may be behind ours when it says that an assertion is over."""
AHEAD: Final = 30
"""Seconds by which it may be ahead when it says that one was made."""
LONGEST_LIFE: Final = 300
_CLAIMS: Final = "client.auth.claims"
_TIME: Final = "client.auth.time"
_LONGEST: Final = 255


def subject(jws: Jws) -> str:
    """`sub`, not verified. Raises InvalidClient where there is none."""
    found = jws.claims.get("sub")
    if not isinstance(found, str):
        raise InvalidClient(_CLAIMS)
    return found


def check(request: OAuthRequest, jws: Jws, app: App) -> None:
    """Raises InvalidClient unless `app` speaks for itself, to this server, for at most five minutes from now."""
    found = jws.claims
    if found.get("iss") != app.client_id or found.get("sub") != app.client_id:
        raise InvalidClient(_CLAIMS)
    # Exactly one string: an assertion for several servers could be shown to us by one of the others.
    if found.get("aud") not in (addresses.endpoint(request.provider, "token"), addresses.issuer(request.provider)):
        raise InvalidClient(_CLAIMS)
    jti = found.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST:
        raise InvalidClient(_CLAIMS)
    _check_times(found, int(parts().clock.now().timestamp()))


def _check_times(found: dict[str, Any], now: int) -> None:
    if not now - LEEWAY < _seconds(found, "exp") <= now + LONGEST_LIFE:
        raise InvalidClient(_TIME)
    for name in ("iat", "nbf"):
        if name in found and _seconds(found, name) > now + AHEAD:
            raise InvalidClient(_TIME)


def _seconds(found: dict[str, Any], name: str) -> int:
    """NumericDate (RFC 7519 §2), whole seconds only. JSON's true is a number in Python, and no time."""
    value = found.get(name)
    if type(value) is not int:
        raise InvalidClient(_TIME)
    return value
