"""Keys and assertions of test clients."""

import time
import uuid
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

EC = ECKey.generate_key("P-384", {"use": "sig", "alg": "ES384"}, auto_kid=True)
RSA = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS384"}, auto_kid=True)
JWKS: dict[str, Any] = dict(KeySet([EC, RSA]).as_dict(private=False))


def assertion(client_id: str, audience: Any, key: ECKey | RSAKey = EC, **changed: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": client_id, "sub": client_id, "aud": audience, "iat": now, "exp": now + 240, "jti": uuid.uuid4().hex,
        **changed,
    }  # fmt: skip
    alg = str(key.as_dict()["alg"])
    return jwt.encode({"alg": alg, "kid": key.kid, "typ": "JWT"}, claims, key, algorithms=[alg])
