"""How we show the EHR who we are: none, a secret, or a signed assertion (RFC 6749 §2.3.1, RFC 7523 §2.2)."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol
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


KeySetting = Literal["private_key_file", "system_private_key_file"]


def load_signing_key(provider: Provider, setting: KeySetting = "private_key_file") -> SigningKey:
    """The key in the file that `setting` names (PEM or JWK): RSA of 2048 bits or more signs RS384, EC P-384 signs
    ES384, the two that SMART requires. Raises ConfigurationError.
    """
    raw = _file(provider, getattr(provider, setting), setting)
    try:
        key = import_key(json.loads(raw)) if raw.startswith(b"{") else _pem(raw)
    except (JoseError, ValueError) as error:
        raise ConfigurationError(f"Provider {provider.id}: {setting} holds no key that can be read.") from error
    if isinstance(key, RSAKey) and key.is_private and key.public_key.key_size >= 2048:
        return SigningKey(key, "RS384", key.kid or key.thumbprint())
    if isinstance(key, ECKey) and key.is_private and key.curve_name == "P-384":
        return SigningKey(key, "ES384", key.kid or key.thumbprint())
    raise ConfigurationError(f"Provider {provider.id}: {setting} must be RSA (2048 bits or more) or EC P-384.")


def system_key_setting(provider: Provider) -> KeySetting:
    """Which setting names the key that we sign with as a backend service."""
    return "private_key_file" if provider.system_private_key_file is None else "system_private_key_file"


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


class Identity(Protocol):
    """Who we are to a token endpoint."""

    def proof(self, token_endpoint: str) -> Proof:
        """The proof for one request to this endpoint; never used twice."""
        ...


class KeyIdentity:
    """A client that signs (RFC 7523 §2.2): an assertion is made for one request to one endpoint."""

    def __init__(self, client_id: str, key: SigningKey, clock: Clock) -> None:
        self._client_id = client_id
        self._key = key
        self._clock = clock

    def proof(self, token_endpoint: str) -> Proof:
        """The proof for one request; an assertion is made for that endpoint alone and never used twice."""
        form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self._assertion(token_endpoint)}
        return Proof({}, form)

    def _assertion(self, token_endpoint: str) -> str:
        now, key = int(self._clock.now().timestamp()), self._key
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


class ClientIdentity:
    """Us, as one provider registered us. Made at the start, so that a missing secret stops the start."""

    def __init__(self, provider: Provider, clock: Clock) -> None:
        self._client_id = provider.client_id
        self._auth = provider.client_auth
        self._signer: KeyIdentity | None = None
        self._secret = ""
        if provider.client_auth == "private_key_jwt":
            self._signer = KeyIdentity(provider.client_id, load_signing_key(provider), clock)
        if provider.client_auth in {"client_secret_basic", "client_secret_post"}:
            self._secret = _file(provider, provider.client_secret_file, "client_secret_file").decode("utf-8")

    def proof(self, token_endpoint: str) -> Proof:
        """The proof for one request; an assertion is made for that endpoint alone and never used twice."""
        if self._signer is not None:
            return self._signer.proof(token_endpoint)
        if self._auth == "client_secret_basic":
            pair = f"{quote_plus(self._client_id)}:{quote_plus(self._secret)}"
            return Proof({"Authorization": "Basic " + b64encode(pair.encode()).decode("ascii")}, {})
        secret = {"client_secret": self._secret} if self._auth == "client_secret_post" else {}
        return Proof({}, {"client_id": self._client_id, **secret})


def system_identity(provider: Provider, clock: Clock) -> KeyIdentity | None:
    """Us as a backend service of the provider, where it knows us as one. Raises ConfigurationError for a bad key."""
    if not provider.system_client_id:
        return None
    return KeyIdentity(provider.system_client_id, load_signing_key(provider, system_key_setting(provider)), clock)
