"""The EHR's public keys, from the `jwks_uri` of its discovery document (RFC 7517 §5, OpenID Connect Core §10.1.1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey, import_key

from smartapp.clock import Clock
from smartapp.launch.discovery import fetch_json
from smartapp.launch.refusals import refuse
from smartapp.outbound.service import Answer, Door

MAX_BYTES = 64 * 1024
MAX_KEYS = 50
MAX_AGE = timedelta(hours=1)
REFETCH_PAUSE = timedelta(minutes=5)
_MODULUS = range(342, 685)
"""Characters of base64url that 2048 to 4096 bits take: others are not even parsed, which would cost time."""
_MEMBERS = ("kty", "kid", "alg", "n", "e", "crv", "x", "y")
_CURVES = {"ES256": "P-256", "ES384": "P-384"}
PublicKey = RSAKey | ECKey


@dataclass
class _Kept:
    keys: list[PublicKey]
    fetched_at: datetime
    refetched_at: datetime | None = None
    lock: Lock = field(default_factory=Lock)


class EhrKeys:
    """Key sets of every issuer, in this process; refreshed hourly, and for an unknown `kid` once in five minutes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._lock = Lock()

    def find(self, door: Door, jwks_uri: str, kid: str | None, alg: str) -> PublicKey:
        """The one key that fits `kid` and `alg`. Raises Refusal (`smart.jwks`) for none or several.

        A token without `kid` is believed only where the set leaves no choice.
        """
        kept = self._of(door, jwks_uri)
        found = _fitting(kept.keys, kid, alg)
        if not found and self._may_refetch(kept):
            kept.keys = self._fetch(door, jwks_uri)
            found = _fitting(kept.keys, kid, alg)
        if len(found) != 1:
            refuse("smart.jwks", "kid")
        return found[0]

    def count(self, door: Door, jwks_uri: str) -> int:
        """How many usable keys the EHR publishes, as `doctor` tells it. Raises Refusal (`smart.jwks`) for a bad set."""
        return len(self._of(door, jwks_uri).keys)

    def _of(self, door: Door, jwks_uri: str) -> _Kept:
        now = self._clock.now()
        with self._lock:
            kept = self._kept.get(jwks_uri)
        if kept is None or now - kept.fetched_at >= MAX_AGE:
            fresh = _Kept(self._fetch(door, jwks_uri), now, kept.refetched_at if kept else None)
            with self._lock:
                self._kept[jwks_uri] = kept = fresh
        return kept

    def _may_refetch(self, kept: _Kept) -> bool:
        """Claims the right to ask again, for one thread, whatever the answer will be."""
        now = self._clock.now()
        with kept.lock:
            if kept.refetched_at is not None and now - kept.refetched_at < REFETCH_PAUSE:
                return False
            kept.refetched_at = now
            return True

    @staticmethod
    def _fetch(door: Door, jwks_uri: str) -> list[PublicKey]:
        def get(address: str) -> Answer:
            return door.request("GET", address, headers={"Accept": "application/json"}, max_bytes=MAX_BYTES)

        listed = fetch_json(get, jwks_uri, "smart.jwks").get("keys")
        if not isinstance(listed, list) or len(listed) > MAX_KEYS:
            refuse("smart.jwks", "keys")
        return [key for entry in listed if isinstance(entry, dict) and (key := _public_key(entry))]


def _public_key(entry: Mapping[str, object]) -> PublicKey | None:
    """A key that may verify, or None: too short, for encryption, of a kind we do not use, or unreadable."""
    public: dict[str, str | list[str]] = {name: value for name in _MEMBERS if isinstance(value := entry.get(name), str)}
    fits = public.get("kty") == "EC" or (public.get("kty") == "RSA" and len(public.get("n", "")) in _MODULUS)
    if not fits or entry.get("use", "sig") != "sig":
        return None
    try:
        key = import_key(public)
    except (JoseError, ValueError, TypeError):
        return None
    if isinstance(key, RSAKey):
        sound = 2048 <= key.public_key.key_size <= 4096 and key.public_key.public_numbers().e >= 65537
        return key if sound else None
    return key if isinstance(key, ECKey) and key.curve_name in _CURVES.values() else None


def _fitting(keys: list[PublicKey], kid: str | None, alg: str) -> list[PublicKey]:
    return [
        key
        for key in keys
        if (kid is None or key.kid == kid)
        and key.get("alg", alg) == alg
        and (isinstance(key, RSAKey) if alg.startswith("RS") else _on_curve(key, alg))
    ]


def _on_curve(key: PublicKey, alg: str) -> bool:
    return isinstance(key, ECKey) and key.curve_name == _CURVES[alg]
