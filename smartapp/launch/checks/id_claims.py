"""The claims of an id_token (OpenID Connect Core §3.1.3.7)."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime

from smartapp.launch.model import IdClaims
from smartapp.launch.refusals import refuse

CODE = "smart.idtoken.bad"
LEEWAY = 60
MAX_AGE = 3600
MAX_LIFETIME = 86400


def read_id_claims(claims: Mapping[str, object], *, issuer: str, client_id: str, nonce: str, now: datetime) -> IdClaims:
    """The claims that we use, after all that they must say. `now` is UTC; leeway is 60 seconds. Raises Refusal.

    The nonce is compared always: an EHR's `nonce_supported: false` is no reason to skip the check.
    """
    if claims.get("iss") != issuer:
        refuse(CODE, "iss")
    _check_audience(claims, client_id)
    _check_times(claims, now.timestamp())
    if claims.get("nonce") != nonce:
        refuse("smart.idtoken.nonce")
    sub = claims.get("sub")
    if not isinstance(sub, str) or not 0 < len(sub) <= 255 or not sub.isprintable():
        refuse(CODE, "sub")
    fhir_user = claims.get("fhirUser")
    return IdClaims(issuer, sub, fhir_user if isinstance(fhir_user, str) else None, _auth_time(claims))


def _check_audience(claims: Mapping[str, object], client_id: str) -> None:
    """We are the only audience, or the one that `azp` names; a token that merely also mentions us is another's."""
    audience, party = claims.get("aud"), claims.get("azp")
    listed = [audience] if isinstance(audience, str) else audience
    if not isinstance(listed, list) or client_id not in listed or not all(isinstance(name, str) for name in listed):
        refuse(CODE, "aud")
    if len(listed) > 1 and party is None:
        refuse(CODE, "azp")
    if "azp" in claims and party != client_id:
        refuse(CODE, "azp")


def _check_times(claims: Mapping[str, object], now: float) -> None:
    expires, issued = _number(claims, "exp"), _number(claims, "iat")
    if expires <= now - LEEWAY or expires - issued > MAX_LIFETIME:
        refuse(CODE, "exp")
    if not now - MAX_AGE <= issued <= now + LEEWAY:
        refuse(CODE, "iat")
    if "nbf" in claims and _number(claims, "nbf") > now + LEEWAY:
        refuse(CODE, "nbf")


def _number(claims: Mapping[str, object], name: str) -> float:
    value = claims.get(name)
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 <= value < 1e12
        or not math.isfinite(value)
    ):
        refuse(CODE, name)
    return float(value)


def _auth_time(claims: Mapping[str, object]) -> datetime | None:
    return datetime.fromtimestamp(_number(claims, "auth_time"), UTC) if "auth_time" in claims else None
