"""The keys of the house: key-encryption keys (rotated) and one hash key (stable, since indexes are built on it)."""

import hmac
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from smartapp.errors import ConfigurationError, KeysUnavailable
from smartapp.security import envelope, keyfiles
from smartapp.security.envelope import KEY_BYTES, DataKey
from smartapp.security.keyfiles import Index

_WRAP: Final = b"smartapp wrap"
_SEAL: Final = b"smartapp seal"


@dataclass(frozen=True)
class _Kek:
    """One key-encryption key, split in two, so that a wrapped key can never pass for a sealed value."""

    wrap: DataKey
    seal: DataKey

    @classmethod
    def of(cls, key_id: str, secret: bytes) -> Self:
        return cls(DataKey(key_id, _derive(secret, _WRAP)), DataKey(key_id, _derive(secret, _SEAL)))


class Keyring:
    """Wraps data keys, seals what belongs to no patient, and hashes what is looked up. Safe to share by threads.

    A key id that is not known makes it read the folder again: a rotation in another process needs no restart.
    """

    def __init__(self, folder: Path, index: Index, keks: dict[str, _Kek], mac: bytes) -> None:
        self._folder = folder
        self._index = index
        self._keks = keks
        self._mac = mac
        self._lock = threading.Lock()

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The keys in `folder`. Raises UnusableKey (a KeysUnavailable) when one is missing, open to others or short."""
        index = keyfiles.read_index(folder)
        return cls(folder, index, _read_keks(folder, index), keyfiles.read_key(folder, "mac", index.mac))

    @classmethod
    def create(cls, folder: Path) -> Self:
        """New keys in `folder`, which is made with mode 0700. Raises ConfigurationError when there are keys already."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with keyfiles.locked(folder):
            if (folder / keyfiles.INDEX).exists():
                raise ConfigurationError(
                    f"{folder} holds keys already; to replace the current one: smartapp keys rotate"
                )
            index = Index(keyfiles.new_key(folder, "kek"), (), keyfiles.new_key(folder, "mac"))
            keyfiles.write_index(folder, index)
        return cls.load(folder)

    @classmethod
    def rotate(cls, folder: Path) -> Self:
        """A new current key; the one before stays readable. Rewrap the data keys afterwards (`DataKeys.rewrap_all`)."""
        with keyfiles.locked(folder):
            old = keyfiles.read_index(folder)
            current = keyfiles.new_key(folder, "kek")
            keyfiles.write_index(folder, Index(current, (old.current, *old.retired), old.mac))
        return cls.load(folder)

    @property
    def current(self) -> str:
        """The id of the key that new things are wrapped with."""
        return self._index.current

    def mac(self, purpose: str, value: bytes | str) -> str:
        """Keyed hash (HMAC-SHA256, RFC 2104), as 64 hex digits: an index of a secret without the secret.

        Two purposes never give the same hash. It stays the same when the key-encryption keys rotate.
        """
        name = purpose.encode()
        message = value.encode() if isinstance(value, str) else value
        return hmac.digest(self._mac, len(name).to_bytes(4, "big") + name + message, "sha256").hex()

    def wrap(self, secret: bytes, aad: bytes) -> bytes:
        """A data key's secret, sealed with the current key and bound to `aad`."""
        return envelope.seal(self._keks[self.current].wrap, secret, aad)

    def unwrap(self, blob: bytes, aad: bytes) -> bytes:
        """What `wrap` was given. Raises IntegrityError for any change, KeysUnavailable for a key that is gone."""
        return envelope.open_(self._kek(blob).wrap, blob, aad)

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """`plaintext` sealed with the current key, for what belongs to no patient."""
        return envelope.seal(self._keks[self.current].seal, plaintext, aad)

    def open_(self, blob: bytes, aad: bytes) -> bytes:
        """What `seal` was given. Raises IntegrityError for any change, KeysUnavailable for a key that is gone."""
        return envelope.open_(self._kek(blob).seal, blob, aad)

    def _kek(self, blob: bytes) -> _Kek:
        key_id = envelope.key_id_of(blob)
        if key_id not in self._keks:
            self._reload()
        try:
            return self._keks[key_id]
        except KeyError:
            raise KeysUnavailable from None

    def _reload(self) -> None:
        with self._lock:
            index = keyfiles.read_index(self._folder)
            if index != self._index:
                self._keks = _read_keks(self._folder, index)
                self._index = index


def _read_keks(folder: Path, index: Index) -> dict[str, _Kek]:
    ids = (index.current, *index.retired)
    return {key_id: _Kek.of(key_id, keyfiles.read_key(folder, "kek", key_id)) for key_id in ids}


def _derive(secret: bytes, purpose: bytes) -> bytes:
    """RFC 5869, without salt: the input is uniformly random already."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose).derive(secret)
