"""Which public keys of a registered set may verify (RFC 7517, RFC 7518 §6, RFC 8037 §2). Pure."""

from collections.abc import Mapping
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

PublicKey = RSAKey | ECKey | OKPKey
MAX_KEYS: Final = 50
_MODULUS: Final = range(342, 685)
"""Characters of base64url that 2048 to 4096 bits take: others are not even parsed, which would cost time."""
_SMALLEST_EXPONENT: Final = 65537
_MEMBERS: Final = ("kty", "kid", "n", "e", "crv", "x", "y")
_OF_CURVE: Final = {"P-256": ("ES256",), "P-384": ("ES384",), "Ed25519": ("EdDSA",)}
_RSA: Final = ("RS384", "PS256")


def read_set(document: object) -> tuple[Mapping[str, Any], ...]:
    """The members of a JWK set. ValueError for what is none, or has more than fifty."""
    listed = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(listed, list | tuple) or len(listed) > MAX_KEYS:
        raise ValueError("no JWK set, or too many keys")
    return tuple(each for each in listed if isinstance(each, Mapping))


def usable(document: object) -> tuple[PublicKey, ...]:
    """The keys of a set that could verify an assertion: for registration, which refuses a set without any.

    ValueError as `read_set`.
    """
    return tuple(key for each in read_set(document) if (key := public_key(each)) is not None)


def fitting(entries: tuple[Mapping[str, Any], ...], kid: str, alg: str) -> list[PublicKey]:
    """The keys that are called `kid` and can have made a signature by `alg`."""
    named = [each for each in entries if each.get("kid") == kid and each.get("kty") == _kty(alg)]
    if len(named) != 1 or named[0].get("alg", alg) != alg:
        return []
    key = public_key(named[0])
    return [key] if key is not None and alg in _algorithms(key) else []


def public_key(entry: Mapping[str, Any]) -> PublicKey | None:
    """A key that may verify, or None: too short or long, for encryption, of a kind we do not use, or unreadable."""
    public: dict[str, Any] = {name: value for name in _MEMBERS if isinstance(value := entry.get(name), str)}
    operations = entry.get("key_ops", ["verify"])
    if entry.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    try:
        return _import(public)
    except (JoseError, ValueError, TypeError):
        return None


def _import(public: dict[str, Any]) -> PublicKey | None:
    kind = public.get("kty")
    if kind == "RSA" and len(public.get("n", "")) in _MODULUS:
        key = RSAKey.import_key(public)
        sound = 2048 <= key.public_key.key_size <= 4096
        return key if sound and key.public_key.public_numbers().e >= _SMALLEST_EXPONENT else None
    if kind == "EC" and public.get("crv") in _OF_CURVE:
        return ECKey.import_key(public)
    if kind == "OKP" and public.get("crv") == "Ed25519":
        return OKPKey.import_key(public)
    return None


def _kty(alg: str) -> str:
    return {"R": "RSA", "P": "RSA", "E": "EC"}[alg[0]] if alg != "EdDSA" else "OKP"


def _algorithms(key: PublicKey) -> tuple[str, ...]:
    return _RSA if isinstance(key, RSAKey) else _OF_CURVE[str(key.curve_name)]
