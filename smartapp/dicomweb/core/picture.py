"""From a frame to a JPEG or PNG file (PS3.18 §8.3.5). Runs in a render child only."""

from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from pydicom.pixels.processing import apply_color_lut

from smartapp.dicomweb.core.facts import RefusedError
from smartapp.dicomweb.core.grayscale import Window, greys
from smartapp.dicomweb.core.pixels import Image, Pixels, decoded

_FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG"}


def render(
    image: Image, index: int, window: Window | None, viewport: tuple[int, int] | None, quality: int, kind: str
) -> bytes:
    """Frame `index` as a file of type `kind`, scaled to fit `viewport` (width, height) with its proportions kept.

    `quality` (1…100) is that of a JPEG. Colours know no window.
    """
    pixels, photometric = decoded(image, index, rgb=True)
    if photometric in {"MONOCHROME1", "MONOCHROME2"}:
        shown = greys(image, pixels, index, window)
    elif photometric == "PALETTE COLOR":
        shown = _eight_bits(apply_color_lut(pixels, image.data), _palette_bits(image))
    elif photometric == "RGB":
        shown = _eight_bits(pixels, image.stored)
    else:
        raise RefusedError("photometric")
    return _encode(_fit(Pillow.fromarray(np.ascontiguousarray(shown)), viewport), quality, kind)


def _palette_bits(image: Image) -> int:
    return int(image.data.RedPaletteColorLookupTableDescriptor[2])


def _eight_bits(pixels: Pixels, stored: int) -> NDArray[np.uint8]:
    return (pixels >> max(stored - 8, 0)).astype(np.uint8)


def _fit(picture: Pillow.Image, viewport: tuple[int, int] | None) -> Pillow.Image:
    if viewport is None:
        return picture
    scale = min(viewport[0] / picture.width, viewport[1] / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size, Pillow.Resampling.BILINEAR, reducing_gap=2.0)


def _encode(picture: Pillow.Image, quality: int, kind: str) -> bytes:
    out = BytesIO()
    if kind == "image/png":
        picture.save(out, _FORMATS[kind], compress_level=1)
    else:
        picture.save(out, _FORMATS[kind], quality=quality)
    return out.getvalue()
