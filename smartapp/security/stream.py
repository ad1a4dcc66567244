"""Sealed files of any size: chunks that can be read at random, of which none can be cut, moved, doubled or added.

The STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár, 2015): each object has a key of its own, derived from
the data key and a random salt (RFC 5869), so a chunk's nonce can be its index. The AAD names object, index and whether
the chunk is the last. Layout: version (1) · length of key id (1) · key id · salt (32) · chunks of 1 MiB and a tag each.
"""

import os
from collections.abc import Iterator
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from smartapp.security.envelope import KEY_BYTES, NONCE_BYTES, TAG_BYTES, DataKey, IntegrityError, header

CHUNK_BYTES: Final = 2**20
"""Holds most single-frame instances whole; four readers at once cost 8 MiB."""
_SALT_BYTES: Final = 32
_STORED_BYTES: Final = CHUNK_BYTES + TAG_BYTES
_INFO: Final = b"smartapp stream"


class _Chunks:
    """The cipher of one object: opens and seals its chunks by index."""

    def __init__(self, key: DataKey, salt: bytes, object_id: bytes) -> None:
        self._aead = AESGCM(HKDF(SHA256(), KEY_BYTES, salt=salt, info=_INFO).derive(key.secret))
        self._object = header(key.id) + len(object_id).to_bytes(4, "big") + object_id

    def seal(self, index: int, last: bool, plain: bytes | memoryview) -> bytes:  # noqa: FBT001 -- as in the construction
        return self._aead.encrypt(index.to_bytes(NONCE_BYTES, "big"), plain, self._aad(index, last))

    def open_(self, index: int, last: bool, stored: bytes) -> bytes:  # noqa: FBT001 -- as in the construction
        try:
            return self._aead.decrypt(index.to_bytes(NONCE_BYTES, "big"), stored, self._aad(index, last))
        except InvalidTag as error:
            raise IntegrityError from error

    def _aad(self, index: int, last: bool) -> bytes:  # noqa: FBT001 -- as in the construction
        return self._object + index.to_bytes(8, "big") + bytes((last,))


class SealedWriter:
    """Seals what is written into `fileobj` (opened for binary writing). Nothing can be read before `finish`."""

    def __init__(self, fileobj: BinaryIO, key: DataKey, object_id: bytes) -> None:
        salt = os.urandom(_SALT_BYTES)
        self._file = fileobj
        self._chunks = _Chunks(key, salt, object_id)
        self._pending: list[bytes] = []
        self._held = 0
        self._index = 0
        fileobj.write(header(key.id) + salt)

    def write(self, chunk: bytes) -> None:
        """Take plaintext of any length. At most one chunk is held back, since the last one is marked."""
        self._pending.append(bytes(chunk))
        self._held += len(chunk)
        if self._held > CHUNK_BYTES:
            self._put_all_but_last()

    def finish(self) -> None:
        """Write the last chunk. The caller flushes and closes the file."""
        self._put(self._joined(), last=True)
        self._pending.clear()

    def _put_all_but_last(self) -> None:
        whole, start = memoryview(self._joined()), 0
        while len(whole) - start > CHUNK_BYTES:
            self._put(whole[start : start + CHUNK_BYTES], last=False)
            start += CHUNK_BYTES
        self._pending = [bytes(whole[start:])]
        self._held = len(whole) - start

    def _joined(self) -> bytes:
        return self._pending[0] if len(self._pending) == 1 else b"".join(self._pending)

    def _put(self, plain: bytes | memoryview, *, last: bool) -> None:
        self._file.write(self._chunks.seal(self._index, last, plain))
        self._index += 1


class SealedReader:
    """Reads a sealed file (`fileobj` seekable, opened for binary reading); `size` is the plaintext's, in bytes.

    Opening it opens the last chunk, which vouches for the length: a cut file is refused before its first byte is
    released. Raises IntegrityError there, and for every chunk that is not what was sealed. Not for several threads.
    """

    def __init__(self, fileobj: BinaryIO, key: DataKey, object_id: bytes) -> None:
        head = header(key.id)
        beginning = fileobj.read(len(head) + _SALT_BYTES)
        if len(beginning) != len(head) + _SALT_BYTES or not beginning.startswith(head):
            raise IntegrityError
        self._file = fileobj
        self._start = len(beginning)
        self._chunks = _Chunks(key, beginning[len(head) :], object_id)
        self._stored = fileobj.seek(0, os.SEEK_END) - self._start
        self._last = max(0, (self._stored - 1) // _STORED_BYTES)
        self._held = (self._last, self._load(self._last))
        self.size = self._last * CHUNK_BYTES + len(self._held[1])

    def chunks(self) -> Iterator[bytes]:
        """The whole plaintext, in pieces of at most 1 MiB."""
        for index in range(self._last + 1):
            yield self._chunk(index)

    def read(self, offset: int, length: int) -> bytes:
        """The plaintext from `offset`, at most `length` bytes; less at the end. ValueError for negative numbers."""
        if offset < 0 or length < 0:
            raise ValueError("offset and length are not negative")
        end = min(self.size, offset + length)
        if offset >= end:
            return b""
        first, final = offset // CHUNK_BYTES, (end - 1) // CHUNK_BYTES
        if first == final:
            joined = self._chunk(first)
        else:
            joined = b"".join(self._chunk(index) for index in range(first, final + 1))
        return joined[offset - first * CHUNK_BYTES : end - first * CHUNK_BYTES]

    def _chunk(self, index: int) -> bytes:
        if self._held[0] != index:
            self._held = (index, self._load(index))
        return self._held[1]

    def _load(self, index: int) -> bytes:
        """Asks for no more than is there: room for a whole chunk costs more than to decrypt a CT slice."""
        at = index * _STORED_BYTES
        self._file.seek(self._start + at)
        stored = self._file.read(min(_STORED_BYTES, self._stored - at))
        return self._chunks.open_(index, index == self._last, stored)
