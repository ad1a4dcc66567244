"""What an object says of its pixels (PS3.3 §C.7.6.3), checked as unbounded numbers before memory is asked for."""

from dataclasses import dataclass
from typing import Final

from smartapp.dicomweb.core.walker import BIG_ENDIAN_SYNTAX, EXPLICIT_SYNTAX, IMPLICIT_SYNTAX

LITTLE_ENDIAN: Final = frozenset({IMPLICIT_SYNTAX, EXPLICIT_SYNTAX})
NATIVE: Final = LITTLE_ENDIAN | {BIG_ENDIAN_SYNTAX}
FRAME: Final = 256 * 2**20
"""The most that one decoded frame may come to, in bytes."""


class RefusedError(Exception):
    """The object cannot be shown; the message is a code that names why."""


class NoFrameError(Exception):
    """The object has no frame of this number."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The numbers of the Image Pixel module. `syntax` is the one that the pixels are in, as they are at hand."""

    syntax: str
    rows: int
    columns: int
    samples: int
    bits: int
    stored: int
    signed: bool
    frames: int
    photometric: str
    planar: int

    @property
    def frame_bits(self) -> int:
        """The size of a decoded frame; a subsampled YBR_FULL_422 has two thirds of the samples (PS3.3 §C.7.6.3.1.2)."""
        bits = self.rows * self.columns * self.samples * self.bits
        return bits * 2 // 3 if self.photometric == "YBR_FULL_422" and self.syntax in NATIVE else bits

    def check(self, pixel_bytes: int) -> None:
        """RefusedError if this cannot be, or not with Pixel Data of `pixel_bytes`."""
        sides = 0 < self.rows < 2**16 and 0 < self.columns < 2**16 and 0 < self.frames < 2**24
        depth = self.samples in {1, 3} and self.bits in {1, 8, 16, 32} and 0 < self.stored <= self.bits
        if not sides or not depth or self.frame_bits > FRAME * 8:
            raise RefusedError("dimensions")
        if self.syntax in NATIVE and self.frame_bits * self.frames > pixel_bytes * 8:
            raise RefusedError("dimensions")

    def check_frame(self, index: int) -> None:
        """NoFrameError if there is no frame `index` (from 0)."""
        if not 0 <= index < self.frames:
            raise NoFrameError
