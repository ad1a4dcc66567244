"""Signs id_tokens, publishes the public keys, and knows its own signatures again (OpenID Connect Core §10.1)."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from joserfc import jws, jwt
from joserfc.errors import JoseError

from smartapp.clock import Clock
from smartapp.tokens import signing_files
from smartapp.tokens.signing_files import ALGORITHMS, INDEX, Entry, PrivateKey

DEFAULT_ALGORITHM: Final = "RS256"


@dataclass(frozen=True)
class _Held:
    """The keys as they were on disk when the index looked like `seen`."""

    seen: tuple[int, int]
    keys: tuple[tuple[Entry, PrivateKey], ...]


class SigningKeys:
    """The keys in a folder. Safe to share by threads; a rotation in another process needs no restart.

    They are read when first needed: every method raises UnusableKey (a KeysUnavailable) when they cannot be.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._held: _Held | None = None

    def sign(self, claims: Mapping[str, Any], alg: str = DEFAULT_ALGORITHM) -> str:
        """A compact JWS over `claims` by the current key of `alg`. ValueError for one that is not ours."""
        if alg not in ALGORITHMS:
            raise ValueError("we do not sign with this algorithm")
        key = next(key for entry, key in self._keys() if (entry.alg, entry.place) == (alg, "current"))
        header = {"alg": alg, "kid": key.thumbprint(), "typ": "JWT"}
        return jwt.encode(header, dict(claims), key, algorithms=[alg])

    def public(self) -> dict[str, list[dict[str, Any]]]:
        """The JWK set (RFC 7517 §5): current and next keys, and old ones while something may live that they signed."""
        now = self._clock.now()
        return {"keys": [_public(*each) for each in self._keys() if not signing_files.is_over(each[0], now)]}

    def claims_of(self, token: str) -> dict[str, Any] | None:
        """The claims of what we signed ourselves, expired or not; None for everything else."""
        for entry, key in self._keys():
            try:
                found = json.loads(jws.deserialize_compact(token, key, algorithms=[entry.alg]).payload)
            except (JoseError, ValueError):
                continue
            return found if isinstance(found, dict) else None
        return None

    def _keys(self) -> tuple[tuple[Entry, PrivateKey], ...]:
        try:
            status = (self._folder / INDEX).stat()
            seen = (status.st_ino, status.st_mtime_ns)
        except OSError:
            seen = (0, 0)
        held = self._held
        if held is None or held.seen != seen:
            with self._lock:
                entries = signing_files.read_entries(self._folder)
                held = self._held = _Held(seen, tuple((e, signing_files.read_key(self._folder, e)) for e in entries))
        return held.keys


def require_signing_keys(folder: Path) -> None:
    """Raises UnusableKey unless id_tokens can be signed: for the start, which is refused without."""
    for entry in signing_files.read_entries(folder):
        signing_files.read_key(folder, entry)


def _public(entry: Entry, key: PrivateKey) -> dict[str, Any]:
    return {**key.as_dict(private=False), "kid": key.thumbprint(), "alg": entry.alg, "use": "sig"}
