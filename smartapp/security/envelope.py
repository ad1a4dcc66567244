"""Sealed bytes: AES-256-GCM with a version byte, the key's id and a random nonce (NIST SP 800-38D §8.2.2).

Layout: version (1) · length of key id (1) · key id · nonce (12) · ciphertext and tag. Everything before the nonce is
authenticated with the caller's AAD, so neither the version nor the key id can be exchanged.
"""

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from smartapp.errors import Unavailable

VERSION: Final = 1
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16


class IntegrityError(Unavailable):
    """Stored bytes are not what was sealed: changed, cut, moved, or sealed with another key. Nothing is released."""

    code = "integrity"


@dataclass(frozen=True)
class DataKey:
    """A 256-bit key and its id (1 to 255 ASCII characters). The secret never shows in a repr."""

    id: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError("a data key has 32 bytes")
        if not (self.id.isascii() and 0 < len(self.id) < 256):
            raise ValueError("a key id has 1 to 255 ASCII characters")

    @cached_property
    def cipher(self) -> AESGCM:
        """The key, expanded once."""
        return AESGCM(self.secret)


def header(key_id: str) -> bytes:
    """The authenticated beginning of everything sealed under this key."""
    name = key_id.encode("ascii")
    return bytes((VERSION, len(name))) + name


def key_id_of(blob: bytes) -> str:
    """The id of the key that `blob` says it was sealed with. Raises IntegrityError for a shape that is none of ours."""
    if len(blob) < 2 or blob[0] != VERSION:
        raise IntegrityError
    name = blob[2 : 2 + blob[1]]
    if len(name) != blob[1] or not name or not name.isascii():
        raise IntegrityError
    return name.decode("ascii")


def seal(key: DataKey, plaintext: bytes, aad: bytes) -> bytes:
    """`plaintext` sealed and bound to `aad`. The nonce is drawn from the system: forked workers share no counter."""
    head = header(key.id)
    nonce = os.urandom(NONCE_BYTES)
    return head + nonce + key.cipher.encrypt(nonce, plaintext, head + aad)


def open_(key: DataKey, blob: bytes, aad: bytes) -> bytes:
    """What `seal` was given. Raises IntegrityError for any change of key, version, bytes, length or `aad`.

    Only the key handed in is tried: a blob that names another is refused, not searched for.
    """
    head = header(key.id)
    if not blob.startswith(head) or len(blob) < len(head) + NONCE_BYTES + TAG_BYTES:
        raise IntegrityError
    nonce = blob[len(head) : len(head) + NONCE_BYTES]
    try:
        return key.cipher.decrypt(nonce, blob[len(head) + NONCE_BYTES :], head + aad)
    except InvalidTag as error:
        raise IntegrityError from error
