"""An app's picture, fetched from where its maker has it and drawn anew: what browsers are given was made here."""

import io
from typing import Final

from PIL import Image, UnidentifiedImageError

from smartapp.errors import SmartappError
from smartapp.outbound.public import PublicDoor

SIDE: Final = 128
"""Pixels, at most, of either side of what is shown."""
_FORMATS: Final = ("PNG", "JPEG")
"""No SVG, which is a program, and none of the rare ones, whose readers are the weakest."""
_MOST_BYTES: Final = 1024 * 1024
_MOST_PIXELS: Final = 4_000_000
_SECONDS: Final = 10.0


def fetch(door: PublicDoor, uri: str) -> bytes:
    """The picture as PNG without anything else that the file held; empty where there is none that can be shown."""
    try:
        answer = door.get(uri, accept="image/png, image/jpeg", max_bytes=_MOST_BYTES, total=_SECONDS)
    except SmartappError:
        return b""
    return drawn(answer.body) if answer.status == 200 else b""


def drawn(content: bytes) -> bytes:
    """The first frame of a PNG or JPEG, at most `SIDE` wide and high, as PNG; empty for anything else."""
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                return b""
            small = picture.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return b""
    small.thumbnail((SIDE, SIDE))
    bare = Image.new("RGBA", small.size)
    bare.paste(small)
    made = io.BytesIO()
    bare.save(made, "PNG")
    return made.getvalue()
