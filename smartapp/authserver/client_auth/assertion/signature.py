"""The assertion's signature (RFC 7515 §5.2)."""

from typing import Any

from joserfc import jws as jose
from joserfc.errors import JoseError

from smartapp.authserver.client_auth.assertion.shape import Jws
from smartapp.authserver.client_auth.jwk import PublicKey
from smartapp.authserver.errors import InvalidClient


class _Registry(jose.JWSRegistry):
    """One algorithm. The name EdDSA is said to be too wide (RFC 9864): here it means Ed25519 alone, by the key."""

    max_header_length = 4096
    max_payload_length = 16 * 1024

    def get_alg(self, name: str) -> Any:
        if name not in (self.allowed or ()):
            raise JoseError
        return self.algorithms[name]


def check(jws: Jws, key: PublicKey) -> None:
    """Raises InvalidClient unless `key` made the signature, by the header's algorithm and no other."""
    registry = _Registry(algorithms=[jws.header["alg"]], strict_check_header=False)
    try:
        jose.deserialize_compact(jws.compact, key, registry=registry)
    except (JoseError, ValueError, TypeError):
        raise InvalidClient("client.auth.signature") from None
