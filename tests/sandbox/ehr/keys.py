"""Keys and assertions of test clients."""

import base64
import hmac
import json
import time
import uuid
from typing import Any

from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

EC = ECKey.generate_key("P-384", {"use": "sig", "alg": "ES384"}, auto_kid=True)
RSA = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS384"}, auto_kid=True)
JWKS: dict[str, Any] = dict(KeySet([EC, RSA]).as_dict(private=False))


def _part(text: str | bytes) -> str:
    return base64.urlsafe_b64encode(text.encode() if isinstance(text, str) else text).rstrip(b"=").decode()


def forged(client_id: str, audience: str, how: str) -> str:
    """An assertion made by somebody without the key, or so that two readers would read it differently."""
    claims = json.dumps(
        {"iss": client_id, "sub": client_id, "aud": audience, "exp": int(time.time()) + 200, "jti": "f"}
    )
    header = {"alg": "HS256" if how == "HS256" else how, "kid": RSA.kid, "typ": "JWT"}
    signed = f"{_part(json.dumps(header))}.{_part(claims)}"
    if how == "HS256":
        return f"{signed}.{_part(hmac.digest(RSA.as_pem(private=False), signed.encode(), 'sha256'))}"
    if how == "twice":
        own = {"alg": "ES384", "kid": EC.kid}
        return jws.serialize_compact(own, claims.replace("{", '{"sub": "x", ', 1), EC, algorithms=["ES384"])
    if how == "unknown kid":
        return assertion(client_id, audience, ECKey.generate_key("P-384", {"alg": "ES384"}, auto_kid=True))
    return f"{signed}."


def assertion(client_id: str, audience: Any, key: ECKey | RSAKey = EC, **changed: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": client_id, "sub": client_id, "aud": audience, "iat": now, "exp": now + 240, "jti": uuid.uuid4().hex,
        **changed,
    }  # fmt: skip
    alg = str(key.as_dict()["alg"])
    return jwt.encode({"alg": alg, "kid": key.kid, "typ": "JWT"}, claims, key, algorithms=[alg])
