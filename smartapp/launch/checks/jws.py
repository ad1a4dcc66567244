"""The shape of a signed token, before any key is looked for (RFC 7515 §3.1, §4; RFC 8725 §3)."""

import re
from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass

from smartapp.launch.refusals import refuse
from smartapp.launch.strict_json import json_object

CODE = "smart.idtoken.bad"
ALGORITHMS = frozenset({"RS256", "RS384", "ES256", "ES384"})
MAX_LENGTH = 16384
_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_TRICKS = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc"})


@dataclass(frozen=True)
class Jws:
    """A compact JWS, not yet verified: the header's `alg` and `kid`, and the claims as they stand."""

    compact: str
    alg: str
    kid: str | None
    claims: dict[str, object]


def read_jws(token: str) -> Jws:
    """The parts of a compact JWS. Raises Refusal for another serialization, an algorithm that is not on our list, a
    header that brings its own key or wants an extension, or JSON that can be read in two ways.
    """
    shape = _COMPACT.fullmatch(token)
    if shape is None or len(token) > MAX_LENGTH:
        refuse(CODE, "compact")
    header, claims = _part(shape[1]), _part(shape[2])
    alg, kid = header.get("alg"), header.get("kid")
    if not isinstance(alg, str) or alg not in ALGORITHMS:
        refuse(CODE, "alg")
    if _TRICKS & header.keys() or str(header.get("typ", "JWT")).upper() != "JWT":
        refuse(CODE, "header")
    if kid is not None and not (isinstance(kid, str) and 0 < len(kid) <= 255):
        refuse(CODE, "kid")
    return Jws(token, alg, kid, claims)


def _part(segment: str) -> dict[str, object]:
    try:
        return json_object(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (ValueError, Base64Error):
        return refuse(CODE, "JSON")
