"""The quick way to frames that need no decoding: most of what a viewer asks for.

A native frame is a slice of the file, and the one frame of an encapsulated object is its fragments joined. To find them
in Python hurts nobody, takes no more of the file than is asked for, and saves the way to a child and back, ten times
what the work takes. What is anything but plain is left to the child.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from smartapp.dicomweb.core.elements import (
    EXPLICIT,
    IMPLICIT,
    ITEM,
    SEQUENCE_END,
    UNDEFINED,
    Source,
    read_header,
    skip_value,
)
from smartapp.dicomweb.core.facts import FRAME, LITTLE_ENDIAN, NATIVE, Facts, RefusedError
from smartapp.dicomweb.core.values import read_uid
from smartapp.dicomweb.core.walker import DEFLATED, IMPLICIT_SYNTAX, TRANSFER_SYNTAX, read_file_meta
from smartapp.errors import UpstreamMalformed

_PIXEL_DATA: Final = 0x7FE00010
_FRAMES: Final = 0x00280008
_PHOTOMETRIC: Final = 0x00280004
_ELEMENTS: Final = 2000
"""More elements than this, or fragments, are left to the child: here they would hold up others."""
_PIECE: Final = 2**16
_HEADER: Final = 16 * 2**20
"""Where more than this comes before the pixels, in bytes, a child looks at it."""


class Whole(Protocol):
    """A whole PS3.10 file that can be read at random; sizes in bytes."""

    size: int

    def read(self, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset`."""


@dataclass(frozen=True)
class Stored:
    """An object's pixels as they stand in its file: native ones, or one frame's code stream.

    `spans` are where, as offsets and lengths in bytes: native pixels in one piece, a code stream in its fragments.
    """

    facts: Facts
    file: Whole
    spans: tuple[tuple[int, int], ...]

    def frame(self, index: int) -> bytes:
        """Frame `index` (from 0); NoFrameError if there is none."""
        self.facts.check_frame(index)
        if self.facts.syntax not in NATIVE:
            return b"".join(self.file.read(*span) for span in self.spans)
        size = self.facts.frame_bits // 8
        return self.file.read(self.spans[0][0] + index * size, size)


def find_stored(file: Whole) -> Stored | None:
    """The stored pixels of a file, or None: it is not plain, or not right, and a child has to look at it."""
    try:
        stored = _find(file)
        length = sum(length for _, length in stored.spans)
        stored.facts.check(length)
    except (UpstreamMalformed, RefusedError, KeyError, ValueError):
        return None
    if stored.facts.syntax in NATIVE:
        return stored if stored.facts.frame_bits % 8 == 0 else None
    return stored if stored.facts.frames == 1 and length <= FRAME else None


def _find(file: Whole) -> Stored:
    source = _source(file, 0)
    source.skip(132)
    syntax = read_uid(read_file_meta(source)[TRANSFER_SYNTAX])
    if syntax in DEFLATED or (syntax in NATIVE and syntax not in LITTLE_ENDIAN):
        raise RefusedError("not-plain")
    encoding = IMPLICIT if syntax == IMPLICIT_SYNTAX else EXPLICIT
    found: dict[int, bytes] = {}
    for _ in range(_ELEMENTS):
        tag, vr, length = read_header(source, encoding)
        if tag == _PIXEL_DATA:
            return Stored(_facts(syntax, found), file, tuple(_spans(file, source.at, length, syntax)))
        if tag >> 16 == 0x28 and length <= 64:
            found[tag] = source.take(length)
        else:
            skip_value(source, encoding, vr, length)
    raise RefusedError("not-plain")


def _source(file: Whole, start: int) -> Source:
    pieces = (file.read(offset, _PIECE) for offset in range(start, file.size, _PIECE))
    return Source(lambda: next(pieces, None), min(file.size - start, _HEADER))


def _facts(syntax: str, found: dict[int, bytes]) -> Facts:
    def number(element: int, default: int | None = None) -> int:
        value = found.get(0x00280000 | element, b"")
        if len(value) != 2 and (value or default is None):
            raise RefusedError("not-plain")
        return int.from_bytes(value, "little") if value or default is None else default

    bits = number(0x100)
    return Facts(
        syntax=syntax,
        rows=number(0x10),
        columns=number(0x11),
        samples=number(0x02, 1),
        bits=bits,
        stored=number(0x101, bits),
        signed=number(0x103, 0) == 1,
        frames=int(found.get(_FRAMES, b"").strip(b" \0") or b"1"),
        photometric=found[_PHOTOMETRIC].decode("ascii").strip(" \0"),
        planar=number(0x06, 0),
    )


def _spans(file: Whole, start: int, length: int, syntax: str) -> Iterator[tuple[int, int]]:
    if (length == UNDEFINED) is (syntax in NATIVE):
        raise RefusedError("not-plain")
    if length == UNDEFINED:
        yield from _fragments(file, start)
    elif start + length <= file.size:
        yield start, length
    else:
        raise RefusedError("not-plain")


def _fragments(file: Whole, start: int) -> Iterator[tuple[int, int]]:
    """The fragments of encapsulated Pixel Data (PS3.5 §A.4), without the offset table before them."""
    for number in range(_ELEMENTS):
        tag, _, length = read_header(_one_header(file, start), EXPLICIT)
        start += 8
        if tag == SEQUENCE_END:
            return
        if tag != ITEM or start + length > file.size:
            raise RefusedError("not-plain")
        if number:
            yield start, length
        start += length
    raise RefusedError("not-plain")


def _one_header(file: Whole, start: int) -> Source:
    header = iter((file.read(start, 8),))
    return Source(lambda: next(header, None), 8)
