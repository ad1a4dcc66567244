"""Frames as each transfer syntax stores them (PS3.5 §8, §A.4)."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.pixels.encoders.base import get_encoder
from pydicom.uid import UID

JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_QUALITY = 92
_PLUGINS = {
    "1.2.840.10008.1.2.5": "pylibjpeg",
    "1.2.840.10008.1.2.4.80": "pyjpegls",
    "1.2.840.10008.1.2.4.90": "pylibjpeg",
}
_STREAMS = Path(__file__).with_name("streams")
# Two that no library of ours writes. Each is the drawn picture once encoded (HTJ2K by OpenJPH, JPEG lossless by
# DCMTK) and kept; a test decodes it and compares it with the drawing.
_KEPT = {
    "1.2.840.10008.1.2.4.70": _STREAMS / "jpeg-lossless.bin",
    "1.2.840.10008.1.2.4.201": _STREAMS / "htj2k.bin",
}


def encoded_frames(header: Dataset, pixels: NDArray[Any], syntax: str) -> list[bytes]:
    """Every frame's codestream; `header` holds the Image Pixel module. KeyError for a syntax that nobody writes."""
    frames = pixels if int(header.get("NumberOfFrames", 1)) > 1 else pixels[np.newaxis]
    return [_one(header, frame, syntax) for frame in frames]


def _one(header: Dataset, frame: NDArray[Any], syntax: str) -> bytes:
    if syntax == JPEG_BASELINE:
        out = BytesIO()
        Image.fromarray(frame).save(out, "JPEG", quality=JPEG_QUALITY, subsampling="4:2:2")
        return out.getvalue()
    if syntax in _KEPT:
        return _KEPT[syntax].read_bytes()
    encoder = get_encoder(UID(syntax))
    return encoder.encode(
        frame,
        encoding_plugin=_PLUGINS[syntax],
        rows=header.Rows,
        columns=header.Columns,
        number_of_frames=1,
        samples_per_pixel=header.SamplesPerPixel,
        bits_allocated=header.BitsAllocated,
        bits_stored=header.BitsStored,
        pixel_representation=header.PixelRepresentation,
        photometric_interpretation=header.PhotometricInterpretation,
    )
