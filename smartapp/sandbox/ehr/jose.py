"""The hospital's signing key, its id_tokens, and the reading of client assertions (RFC 7515, 7519, 7523)."""

import json
from collections.abc import Mapping
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, RSAKey

from smartapp.sandbox.ehr.times import timestamp

ASSERTION_ALGORITHMS = ("RS384", "ES384")
LONGEST_ASSERTION = 300
_KEY_TYPE = {"RS384": "RSA", "ES384": "EC"}


class BadAssertion(ValueError):
    """A client assertion that is not good, and why; the reason is for a developer and names no secret."""


class SigningKey:
    """An RSA key made at the start; id_tokens are signed RS256 (OpenID Connect Core §15.1)."""

    def __init__(self) -> None:
        self.rotate()

    def rotate(self) -> None:
        """A new key in place of the old one, which is forgotten."""
        self._key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)

    def jwks(self) -> dict[str, Any]:
        """The public half as a JSON Web Key Set (RFC 7517 §5)."""
        return {"keys": [self._key.as_dict(private=False)]}

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A compact RS256 JWT."""
        header = {"alg": "RS256", "typ": "JWT", "kid": self._key.kid}
        return jwt.encode(header, dict(claims), self._key, algorithms=["RS256"])


def read_assertion(text: str, jwks: Mapping[str, Any], client_id: str, audiences: set[str]) -> str:
    """The `jti` of a good client assertion (SMART App Launch 2.2, asymmetric authentication); else BadAssertion.

    RS384 or ES384; `iss` = `sub` = the client; exactly one `aud`, ours; `exp` at most five minutes ahead.
    Whether the `jti` is new is for the caller to find out.
    """
    try:
        key = _key_for(text, jwks)
        token = jwt.decode(text, key, algorithms=list(ASSERTION_ALGORITHMS))
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise BadAssertion(f"the signature cannot be verified: {type(error).__name__}") from error
    return _checked(token.claims, client_id, audiences)


def unverified_subject(text: str) -> str:
    """Whose assertion it says it is, to look its keys up; BadAssertion if that cannot be read."""
    try:
        claims = json.loads(jws.extract_compact(text.encode()).payload, object_pairs_hook=_each_once)
        return str(claims["sub"])
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise BadAssertion("not a JWT with a subject") from error


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose names differ: of two equal ones, two readers may believe different ones (RFC 7519 §4)."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name is there twice")
    return dict(pairs)


def _key_for(text: str, jwks: Mapping[str, Any]) -> Key:
    header = jws.extract_compact(text.encode()).headers()
    if header["alg"] not in ASSERTION_ALGORITHMS or header.get("typ", "JWT") != "JWT":
        raise ValueError("alg or typ")
    wanted = (header["kid"], _KEY_TYPE[header["alg"]])
    fitting = [raw for raw in jwks["keys"] if (raw.get("kid"), raw.get("kty")) == wanted]
    if len(fitting) != 1:
        raise ValueError("kid")
    key = JWKRegistry.import_key(fitting[0])
    if not isinstance(key, RSAKey | ECKey):
        raise TypeError("kty")
    return key


def _checked(claims: Mapping[str, Any], client_id: str, audiences: set[str]) -> str:
    moment, expires, jti = timestamp(), claims.get("exp"), claims.get("jti")
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        raise BadAssertion("iss and sub must be the client_id")
    if not isinstance(claims.get("aud"), str) or claims["aud"] not in audiences:
        raise BadAssertion("aud must be one string, the token endpoint or the issuer")
    if not isinstance(expires, int) or not moment < expires <= moment + LONGEST_ASSERTION:
        raise BadAssertion("exp must lie within the next five minutes")
    if not isinstance(claims.get("nbf", 0), int) or claims.get("nbf", 0) > moment:
        raise BadAssertion("nbf lies ahead")
    if not isinstance(jti, str) or not jti:
        raise BadAssertion("jti is missing")
    return jti
