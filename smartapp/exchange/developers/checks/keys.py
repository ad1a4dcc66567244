"""The app's public keys (RFC 7591 §2: by address or in line, never both), strong enough to be believed."""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from smartapp.exchange.developers import addresses
from smartapp.exchange.developers.checks import pages
from smartapp.exchange.developers.checks.rules import Rules
from smartapp.exchange.developers.reading import Document, text
from smartapp.exchange.developers.refusal import RegistrationRefused

_MOST: Final = 10
_LONGEST: Final = 24 * 1024
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_CURVES: Final = {"EC": {"P-256", "P-384"}, "OKP": {"Ed25519"}}
_RSA_BITS: Final = range(2048, 4096 + 1)
_EXPONENTS: Final = range(65537, 2**32)
_KID: Final = re.compile(r"[A-Za-z0-9._~:/+=@-]{1,200}", re.ASCII)
_SSL_PORT: Final = 443
_FIRST_FREE_PORT: Final = 1024
_NAMED: Final = "jwks_uri"


def read(document: Document, method: str, rules: Rules) -> tuple[str, Mapping[str, Any] | None]:
    """`jwks_uri` and `jwks`: exactly one of them for `private_key_jwt`, none for the others."""
    address, keys = text(document, _NAMED, longest=1000), document.get("jwks")
    given = bool(address) + (keys is not None)
    if given != (method == "private_key_jwt"):
        raise RegistrationRefused("jwks" if keys is not None else _NAMED, "one" if given else "missing")
    if address:
        _check_address(address, rules)
    return address, None if keys is None else _checked(keys)


def _check_address(written: str, rules: Rules) -> None:
    """What the name resolves to is checked at each connection; here, what can be told from the name."""
    address = addresses.read(written)
    if address is None or not pages.usable(written, rules):
        raise RegistrationRefused(_NAMED, "address")
    if address.port is not None and address.port != _SSL_PORT and address.port < _FIRST_FREE_PORT:
        raise RegistrationRefused(_NAMED, "port")


def _checked(keys: Any) -> Mapping[str, Any]:
    """The key set, reduced to what was checked."""
    listed = keys.get("keys") if isinstance(keys, dict) else None
    if not isinstance(listed, list) or not listed or len(json.dumps(keys)) > _LONGEST:
        raise RegistrationRefused("jwks", "set")
    if len(listed) > _MOST:
        raise RegistrationRefused("jwks", "many")
    checked = [_key(each) for each in listed]
    if len({(key["kid"], key["kty"]) for key in checked}) != len(checked):
        raise RegistrationRefused("jwks", "kid")
    return {"keys": checked}


def _key(key: Any) -> dict[str, Any]:
    if not isinstance(key, dict) or not all(isinstance(key.get(name), str) for name in ("kty", "kid")):
        raise RegistrationRefused("jwks", "kid")
    if _PRIVATE & key.keys():
        raise RegistrationRefused("jwks", "private")
    if not _KID.fullmatch(key["kid"]):
        raise RegistrationRefused("jwks", "kid")
    if key.get("use", "sig") != "sig" or "verify" not in key.get("key_ops", ["verify"]):
        raise RegistrationRefused("jwks", "use")
    kept = {name: key[name] for name in ("kty", "kid", "crv", "x", "y", "n", "e", "use", "alg") if name in key}
    if not _strong(kept) or not _loads(kept):
        raise RegistrationRefused("jwks", "weak")
    return kept


def _strong(key: Mapping[str, Any]) -> bool:
    if key["kty"] == "RSA":
        modulus, exponent = _number(key.get("n")), _number(key.get("e"))
        return modulus.bit_length() in _RSA_BITS and modulus % 2 == 1 and exponent in _EXPONENTS and exponent % 2 == 1
    return key.get("crv") in _CURVES.get(key["kty"], set())


def _loads(key: Mapping[str, Any]) -> bool:
    """Whether it is a key at all: a point that is on its curve."""
    try:
        JWKRegistry.import_key({name: value for name, value in key.items() if name not in {"use", "alg"}}).public_key  # noqa: B018 -- reads it
    except (JoseError, ValueError, TypeError, KeyError):
        return False
    return True


def _number(written: Any) -> int:
    """A Base64urlUInt (RFC 7518 §2); 0 for what is none."""
    if not isinstance(written, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,1400}", written, re.ASCII):
        return 0
    try:
        return int.from_bytes(urlsafe_b64decode(written + "=" * (-len(written) % 4)), "big")
    except ValueError:
        return 0
