"""Pictures and frames out of DICOM objects, made in child processes, where a crash hurts nobody."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, Literal

from smartapp.dicomweb.core.facts import LITTLE_ENDIAN
from smartapp.dicomweb.core.render_process import Children
from smartapp.dicomweb.core.walker import EXPLICIT_SYNTAX
from smartapp.errors import BadInput, NotFound, Unrenderable
from smartapp.settings import Rendering

PictureType = Literal["image/jpeg", "image/png"]
WindowFunction = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]

THUMBNAIL: Final = (160, 160)
VIEWPORT: Final = 8192
"""The longest side of a viewport, in pixels."""

_CODE: Final = re.compile(r"[a-z-]{1,32}")
_FUNCTIONS: Final[dict[str, WindowFunction]] = {
    "linear": "LINEAR",
    "linear-exact": "LINEAR_EXACT",
    "sigmoid": "SIGMOID",
}


@dataclass(frozen=True)
class Window:
    """Which values are shown from black to white (PS3.3 §C.11.2.1.2); BadInput if it is none that may be."""

    center: float
    width: float
    function: WindowFunction = "LINEAR"

    def __post_init__(self) -> None:
        least = self.width >= 1 if self.function == "LINEAR" else self.width > 0
        if not (isfinite(self.center) and isfinite(self.width) and least):
            raise BadInput("bad-window")


def parse_window(text: str) -> Window:
    """The `window` parameter, `center,width,function` (PS3.18 §8.3.5.1.4); BadInput if it is none."""
    try:
        center, width, function = text.split(",")
        return Window(float(center), float(width), _FUNCTIONS[function])
    except (ValueError, KeyError):
        raise BadInput("bad-window") from None


def parse_viewport(text: str) -> tuple[int, int]:
    """Width and height of the `viewport` parameter (PS3.18 §8.3.5.1.3), in pixels. It names no part of an image."""
    match = re.fullmatch(r"([1-9][0-9]{0,4}),([1-9][0-9]{0,4})", text, re.ASCII)
    size = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 0 < max(size) <= VIEWPORT:
        raise BadInput("bad-viewport")
    return size


@dataclass(frozen=True)
class Frame:
    """One frame's `data`, and how to read it; the names are those of PS3.3 §C.7.6.3.

    `transfer_syntax` is what `data` is encoded in; an uncompressed object's counts as Explicit VR Little Endian.
    """

    data: bytes
    rows: int
    columns: int
    samples_per_pixel: int
    bits_allocated: int
    bits_stored: int
    signed: bool
    photometric_interpretation: str
    planar_configuration: int
    transfer_syntax: str


class RenderPool:
    """Makes pictures in `rendering.processes` children, which are started when first needed (so not before a fork).

    All methods may be called by several threads; who finds every child busy waits for at most `rendering.seconds`, then
    gets Unavailable. `dicom` is a whole PS3.10 file. Unrenderable if its pixels cannot be shown, also because decoding
    took too long, too much, or the child's life. NotFound if it has no such frame (numbers start at 1).
    """

    def __init__(self, rendering: Rendering) -> None:
        self._children = Children(rendering)

    def frames(self, dicom: bytes, numbers: Sequence[int], target: Literal["raw", "explicit-le"]) -> list[Frame]:
        """The frames of these numbers, as stored (`raw`) or decoded to little endian values without compression."""
        header, payload = self._ask({"job": "frames", "numbers": list(numbers), "target": target}, dicom)
        try:
            return _frames(header, payload, raw=target == "raw")
        except (KeyError, TypeError, ValueError):
            raise Unrenderable("answer") from None

    def rendered(
        self,
        dicom: bytes,
        number: int,
        *,
        window: Window | None = None,
        viewport: tuple[int, int] | None = None,
        quality: int = 90,
        kind: PictureType = "image/jpeg",
    ) -> bytes:
        """One frame as a file of type `kind` (PS3.18 §8.3.5), with the object's own window if none is given."""
        return self._picture(dicom, number, window, viewport, quality, kind)

    def thumbnail(self, dicom: bytes) -> bytes:
        """The middle frame as a JPEG that fits `THUMBNAIL`."""
        return self._picture(dicom, None, None, THUMBNAIL, 80, "image/jpeg")

    def close(self) -> None:
        """Ends the children; the pool is of no use afterwards."""
        self._children.close()

    def _picture(
        self,
        dicom: bytes,
        number: int | None,
        window: Window | None,
        viewport: tuple[int, int] | None,
        quality: int,
        kind: PictureType,
    ) -> bytes:
        if not 1 <= quality <= 100:
            raise BadInput("bad-quality")
        shown = (window.center, window.width, window.function) if window else None
        request = {"job": "rendered", "number": number, "window": shown, "viewport": viewport}
        return self._ask(request | {"quality": quality, "kind": kind}, dicom)[1]

    def _ask(self, request: Mapping[str, Any], dicom: bytes) -> tuple[dict[str, Any], bytes]:
        header, payload = self._children.ask(request, dicom)
        error = header.get("error")
        if error == "no-frame":
            raise NotFound("no-frame")
        if error is not None:
            raise Unrenderable(error if isinstance(error, str) and _CODE.fullmatch(error) else "answer")
        return header, payload


def _frames(header: Mapping[str, Any], payload: bytes, *, raw: bool) -> list[Frame]:
    frames: list[Frame] = []
    at = 0
    syntax = str(header["syntax"]) if raw and header["syntax"] not in LITTLE_ENDIAN else EXPLICIT_SYNTAX
    for about in header["frames"]:
        size = int(about["size"])
        frames.append(
            Frame(
                data=payload[at : at + size],
                rows=int(header["rows"]),
                columns=int(header["columns"]),
                samples_per_pixel=int(header["samples"]),
                bits_allocated=int(about["bits_allocated"]),
                bits_stored=int(header["bits_stored"]),
                signed=bool(header["signed"]),
                photometric_interpretation=str(about["photometric"]),
                planar_configuration=int(header["planar"]),
                transfer_syntax=syntax,
            )
        )
        at += size
    return frames
