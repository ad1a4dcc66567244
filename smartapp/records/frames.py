"""Frames of a stored instance: cut out of its file where they stand in it as they are asked for, else decoded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from smartapp.dicomweb.core.facts import LITTLE_ENDIAN, NoFrameError
from smartapp.dicomweb.core.render import RenderPool
from smartapp.dicomweb.core.render_wire import ANSWER
from smartapp.dicomweb.core.stored import Stored as Pixels
from smartapp.dicomweb.core.stored import find_stored
from smartapp.dicomweb.core.walker import EXPLICIT_SYNTAX
from smartapp.errors import NotFound, Unrenderable
from smartapp.records.instances import Stored

_RENDERED: Final = 512 * 2**20


@dataclass(frozen=True)
class FrameData:
    """One frame and the transfer syntax it is in; an uncompressed one's counts as Explicit VR Little Endian."""

    data: bytes
    transfer_syntax: str


def frames_of(file: Stored, numbers: Sequence[int], pool: RenderPool, *, stored: bool) -> list[FrameData]:
    """The frames of these numbers (from 1), as they are `stored` or uncompressed.

    NotFound for one that is not there; Unrenderable if they cannot be had, or come to too much.
    """
    pixels = find_stored(file)
    if pixels is not None and (stored or pixels.facts.syntax in LITTLE_ENDIAN):
        return _cut(pixels, numbers)
    decoded = pool.frames(whole(file), numbers, "raw" if stored else "explicit-le")
    return [FrameData(each.data, each.transfer_syntax if stored else EXPLICIT_SYNTAX) for each in decoded]


def whole(file: Stored) -> bytes:
    """The file in memory, as the renderer takes it. Unrenderable if it is larger than a renderer could use."""
    if file.size > _RENDERED:
        raise Unrenderable("too-large")
    return b"".join(file.chunks())


def _cut(pixels: Pixels, numbers: Sequence[int]) -> list[FrameData]:
    facts = pixels.facts
    if len(numbers) * facts.frame_bits > ANSWER * 8:
        raise Unrenderable("too-large")
    syntax = EXPLICIT_SYNTAX if facts.syntax in LITTLE_ENDIAN else facts.syntax
    try:
        return [FrameData(pixels.frame(number - 1), syntax) for number in numbers]
    except NoFrameError:
        raise NotFound("no-frame") from None
