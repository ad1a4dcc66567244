"""Frames of uncompressed objects, cut out of the file without decoding anything."""

from dataclasses import dataclass
from typing import Final

from smartapp.errors import NotFound
from smartapp.records.contents import Listed
from smartapp.records.instances import Stored

EXPLICIT_LE: Final = "1.2.840.10008.1.2.1"
_IMPLICIT_LE: Final = "1.2.840.10008.1.2"
_PIXEL_DATA: Final = b"\xe0\x7f\x10\x00"
_HEADER: Final = 12
_LARGEST: Final = 2**28


@dataclass(frozen=True)
class FrameData:
    """One frame and the transfer syntax it is in."""

    data: bytes
    transfer_syntax: str


def slice_native(stored: Stored, syntax: str, listed: Listed, numbers: tuple[int, ...]) -> list[FrameData] | None:
    """The frames of these numbers (from 1), or None where this cannot be done safely: then a child decodes.

    The listed dimensions are believed only if the file ends with a Pixel Data element of exactly that length, so that
    nothing of the file has to be parsed and a lying dimension cuts nothing. Raises NotFound for a frame that is not
    there.
    """
    size, frames = listed.frame_size, listed.frames
    if syntax not in {EXPLICIT_LE, _IMPLICIT_LE} or size == 0 or frames == 0 or size * len(numbers) > _LARGEST:
        return None
    start = stored.size - (size * frames + size * frames % 2)
    if start < _HEADER or not _is_pixel_data(stored, start, syntax):
        return None
    if any(not 1 <= each <= frames for each in numbers):
        raise NotFound("no-frame")
    return [FrameData(stored.read(start + (each - 1) * size, size), EXPLICIT_LE) for each in numbers]


def _is_pixel_data(stored: Stored, start: int, syntax: str) -> bool:
    """Whether the element that ends the file is Pixel Data, and its value begins at `start` (PS3.5 §7.1)."""
    header = stored.read(start - _HEADER, _HEADER)
    length = (stored.size - start).to_bytes(4, "little")
    if syntax == _IMPLICIT_LE:
        return header[4:] == _PIXEL_DATA + length
    return header in {_PIXEL_DATA + vr + b"\0\0" + length for vr in (b"OW", b"OB")}
