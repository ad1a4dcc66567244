"""The assertion's header: an algorithm of ours, a key by its id, and nothing that brings one along (RFC 7515 §4.1)."""

from typing import Final

from smartapp.authserver.client_auth.assertion.shape import Jws
from smartapp.authserver.errors import InvalidClient
from smartapp.identity.apps.model import App

ALGORITHMS: Final = ("RS384", "ES384", "PS256", "ES256", "EdDSA")
"""RS384 and ES384 are those that SMART requires."""
_BRINGS_A_KEY: Final = frozenset({"jwk", "x5u", "x5c"})
_EXTENSIONS: Final = frozenset({"crit", "b64", "zip", "enc", "cty"})
_LONGEST: Final = 255


def check(jws: Jws, app: App) -> None:
    """Raises InvalidClient. A `jku` may only repeat what was registered: no other address is ever asked."""
    found = jws.header
    if found.get("alg") not in ALGORITHMS:
        raise InvalidClient("client.auth.alg")
    if _BRINGS_A_KEY & found.keys():
        raise InvalidClient("client.auth.header")
    if _EXTENSIONS & found.keys():
        raise InvalidClient("client.auth.crit")
    if "jku" in found and (not app.metadata.jwks_uri or found["jku"] != app.metadata.jwks_uri):
        raise InvalidClient("client.auth.header")
    kind = found.get("typ", "JWT")
    if not isinstance(kind, str) or kind.upper() != "JWT":
        raise InvalidClient("client.auth.header")
    kid = found.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= _LONGEST:
        raise InvalidClient("client.auth.kid")
