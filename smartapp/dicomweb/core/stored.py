"""The quick way to frames that need no decoding: most of what a viewer asks for.

A native frame is a slice of the file, and the one frame of an encapsulated object is its fragments joined. To find them
in Python hurts nobody, and saves the way to a child and back, ten times what the work takes. What is anything but
plain is left to the child.
"""

from dataclasses import dataclass
from typing import Final

from smartapp.dicomweb.core.elements import EXPLICIT, IMPLICIT, UNDEFINED, Source, read_header, skip_value
from smartapp.dicomweb.core.facts import LITTLE_ENDIAN, NATIVE, Facts, RefusedError
from smartapp.dicomweb.core.values import read_uid
from smartapp.dicomweb.core.walker import DEFLATED, IMPLICIT_SYNTAX, TRANSFER_SYNTAX, read_file_meta
from smartapp.errors import UpstreamMalformed

_PIXEL_DATA: Final = 0x7FE00010
_FRAMES: Final = 0x00280008
_PHOTOMETRIC: Final = 0x00280004
_ITEM: Final = 0xFFFEE000
_END: Final = 0xFFFEE0DD
_ELEMENTS: Final = 2000
"""More elements than this, or fragments, are left to the child: here they would hold up others."""


@dataclass(frozen=True)
class Stored:
    """An object's pixels as they stand in its file: either `native` ones, or one frame's code stream."""

    facts: Facts
    pixels: memoryview

    def frame(self, index: int) -> bytes:
        """Frame `index` (from 0); NoFrameError if there is none."""
        self.facts.check_frame(index)
        if self.facts.syntax not in NATIVE:
            return bytes(self.pixels)
        size = self.facts.frame_bits // 8
        return bytes(self.pixels[index * size : (index + 1) * size])


def find_stored(dicom: bytes) -> Stored | None:
    """The stored pixels of a PS3.10 file, or None: it is not plain, or not right, and a child has to look at it."""
    try:
        stored = _find(dicom)
        stored.facts.check(len(stored.pixels))
    except (UpstreamMalformed, RefusedError, KeyError, ValueError):
        return None
    plain = stored.facts.frame_bits % 8 == 0 if stored.facts.syntax in NATIVE else stored.facts.frames == 1
    return stored if plain else None


def _find(dicom: bytes) -> Stored:
    chunks = iter([dicom])
    source = Source(lambda: next(chunks, None), len(dicom))
    source.skip(132)
    syntax = read_uid(read_file_meta(source)[TRANSFER_SYNTAX])
    if syntax in DEFLATED or (syntax in NATIVE and syntax not in LITTLE_ENDIAN):
        raise RefusedError("not-plain")
    encoding = IMPLICIT if syntax == IMPLICIT_SYNTAX else EXPLICIT
    found: dict[int, bytes] = {}
    for _ in range(_ELEMENTS):
        tag, vr, length = read_header(source, encoding)
        if tag == _PIXEL_DATA:
            return Stored(_facts(syntax, found), _pixels(source, memoryview(dicom), length, syntax))
        if tag >> 16 == 0x28 and length <= 64:
            found[tag] = source.take(length)
        else:
            skip_value(source, encoding, vr, length)
    raise RefusedError("not-plain")


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


def _pixels(source: Source, dicom: memoryview, length: int, syntax: str) -> memoryview:
    if (length == UNDEFINED) is (syntax in NATIVE):
        raise RefusedError("not-plain")
    start = source.at
    if length != UNDEFINED:
        source.skip(length)
        return dicom[start : source.at]
    return memoryview(b"".join(_fragments(source, dicom)))


def _fragments(source: Source, dicom: memoryview) -> list[memoryview]:
    """The fragments of encapsulated Pixel Data (PS3.5 §A.4), without the offset table before them."""
    found: list[memoryview] = []
    for _ in range(_ELEMENTS):
        tag, _, length = read_header(source, EXPLICIT)
        if tag == _END:
            return found[1:]
        if tag != _ITEM:
            raise RefusedError("not-plain")
        start = source.at
        source.skip(length)
        found.append(dicom[start : source.at])
    raise RefusedError("not-plain")
