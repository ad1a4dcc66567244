"""How we show the EHR who we are: none, a secret, or a signed assertion (RFC 6749 §2.3.1, RFC 7523 §2.2)."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_plus

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey, import_key

from smartapp.clock import Clock
from smartapp.errors import ConfigurationError
from smartapp.ids import new_secret
from smartapp.settings import Provider

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIFETIME = 240
"""Seconds; SMART allows 300, and the EHR's clock may be ahead of ours."""


@dataclass(frozen=True)
class SigningKey:
    """Our private key for one provider, the algorithm it signs with, and its `kid`.

    A JWK's own `kid` stands: the EHR may have been given the key under that name. Without one it is the thumbprint
    (RFC 7638).
    """

    key: RSAKey | ECKey
    alg: str
    kid: str

    def public(self) -> dict[str, object]:
        """The public half, as a member of a JWK set (RFC 7517 §4)."""
        return {**self.key.as_dict(private=False), "kid": self.kid, "alg": self.alg, "use": "sig"}


def load_signing_key(provider: Provider) -> SigningKey:
    """The key in `private_key_file` (PEM or JWK): RSA of 2048 bits or more signs RS384, EC P-384 signs ES384, the two
    that SMART requires. Raises ConfigurationError.
    """
    raw = _file(provider, provider.private_key_file, "private_key_file")
    try:
        key = import_key(json.loads(raw)) if raw.startswith(b"{") else _pem(raw)
    except (JoseError, ValueError) as error:
        raise ConfigurationError(f"Provider {provider.id}: private_key_file holds no key that can be read.") from error
    if isinstance(key, RSAKey) and key.is_private and key.public_key.key_size >= 2048:
        return SigningKey(key, "RS384", key.kid or key.thumbprint())
    if isinstance(key, ECKey) and key.is_private and key.curve_name == "P-384":
        return SigningKey(key, "ES384", key.kid or key.thumbprint())
    raise ConfigurationError(f"Provider {provider.id}: private_key_file must be RSA (2048 bits or more) or EC P-384.")


def _pem(raw: bytes) -> RSAKey | ECKey:
    try:
        return ECKey.import_key(raw)
    except (JoseError, ValueError):
        return RSAKey.import_key(raw)


def _file(provider: Provider, path: Path | None, name: str) -> bytes:
    if path is None:
        raise ConfigurationError(f"Provider {provider.id}: client_auth = {provider.client_auth!r} needs {name}.")
    try:
        return path.read_bytes().strip()
    except OSError as error:
        raise ConfigurationError(f"Provider {provider.id}: {name} cannot be read.") from error


@dataclass(frozen=True)
class Proof:
    """What goes with a request to the token or revocation endpoint."""

    headers: Mapping[str, str]
    form: Mapping[str, str]


class ClientIdentity:
    """Us, as one provider registered us. Made at the start, so that a missing secret stops the start."""

    def __init__(self, provider: Provider, clock: Clock) -> None:
        self._client_id = provider.client_id
        self._clock = clock
        self._auth = provider.client_auth
        self._key = load_signing_key(provider) if provider.client_auth == "private_key_jwt" else None
        self._secret = ""
        if provider.client_auth in {"client_secret_basic", "client_secret_post"}:
            self._secret = _file(provider, provider.client_secret_file, "client_secret_file").decode("utf-8")

    def proof(self, token_endpoint: str) -> Proof:
        """The proof for one request; an assertion is made for that endpoint alone and never used twice."""
        if self._key is not None:
            form = {
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": self._assertion(self._key, token_endpoint),
            }
            return Proof({}, form)
        if self._auth == "client_secret_basic":
            pair = f"{quote_plus(self._client_id)}:{quote_plus(self._secret)}"
            return Proof({"Authorization": "Basic " + b64encode(pair.encode()).decode("ascii")}, {})
        secret = {"client_secret": self._secret} if self._auth == "client_secret_post" else {}
        return Proof({}, {"client_id": self._client_id, **secret})

    def _assertion(self, key: SigningKey, token_endpoint: str) -> str:
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": token_endpoint,
            "iat": now,
            "exp": now + ASSERTION_LIFETIME,
            "jti": new_secret("jti"),
        }
        header = {"alg": key.alg, "kid": key.kid, "typ": "JWT"}
        return jwt.encode(header, claims, key.key, algorithms=[key.alg])
