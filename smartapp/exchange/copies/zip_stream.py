"""A ZIP that is written while its files arrive (APPNOTE 6.3.9 §4.3). The end of a broken one is never written."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from stream_zip import ZIP_64, stream_zip

_MODE: Final = 0o100600
_PIECE: Final = 2**18


@dataclass(frozen=True)
class Member:
    """A file on its way into the ZIP. `chunks` are read once, before the next member is asked for."""

    path: str
    chunks: Iterable[bytes]


class _Pipe:
    """A file that cannot be sought in, for `zipfile` to write to: what was written is taken out again at once."""

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._held.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""

    def take(self) -> bytes:
        held, self._held = self._held, []
        return b"".join(held)


def zipped(members: Iterable[Member], made_at: datetime, passphrase: str) -> Iterator[bytes]:
    """The ZIP of the members: stored, or under AES-256 (WinZip AE-2) if there is a passphrase.

    What a member raises comes through, and the central directory is not written: no program takes the rest for whole.
    """
    return _encrypted(members, made_at, passphrase) if passphrase else _stored(members, made_at)


def _stored(members: Iterable[Member], made_at: datetime) -> Iterator[bytes]:
    """Uncompressed: pictures hardly shrink, and the wire is slower than the disk but faster than deflate."""
    pipe = _Pipe()
    archive = ZipFile(pipe, "w", ZIP_STORED)  # no `with`: to close it after an error would write a valid end
    for member in members:
        entry = ZipInfo(member.path, made_at.timetuple()[:6])
        entry.external_attr = _MODE << 16
        with archive.open(entry, "w", force_zip64=True) as out:
            for chunk in member.chunks:
                out.write(chunk)
                yield pipe.take()
    archive.close()
    yield pipe.take()


def _encrypted(members: Iterable[Member], made_at: datetime, passphrase: str) -> Iterator[bytes]:
    """Level 0 of deflate, as that alone lets a file of unknown size pass without being held whole."""
    files = ((member.path, made_at, _MODE, ZIP_64, member.chunks) for member in members)
    return iter(
        stream_zip(
            files,
            chunk_size=_PIECE,
            get_compressobj=lambda: zlib.compressobj(wbits=-zlib.MAX_WBITS, level=0),
            password=passphrase,
        )
    )
