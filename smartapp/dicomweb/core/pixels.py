"""Pixels of one frame, decoded. Runs in a render child only: the decoders are C, and the data hostile."""

import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import get_frame
from pydicom.filereader import read_dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from smartapp.dicomweb.core.elements import Source
from smartapp.dicomweb.core.facts import LITTLE_ENDIAN, NATIVE, Facts, RefusedError
from smartapp.dicomweb.core.values import read_uid
from smartapp.dicomweb.core.walker import (
    BIG_ENDIAN_SYNTAX,
    DEFLATED,
    EXPLICIT_SYNTAX,
    IMPLICIT_SYNTAX,
    TRANSFER_SYNTAX,
    read_file_meta,
)

Pixels = NDArray[Any]

INFLATED: Final = 200 * 2**20
"""The most that a deflated data set may come to, in bytes."""
_PLUGINS: Final = {
    "1.2.840.10008.1.2.5": "pylibjpeg",  # RLE
    "1.2.840.10008.1.2.4.50": "pylibjpeg",  # JPEG baseline
    "1.2.840.10008.1.2.4.51": "pylibjpeg",  # JPEG extended
    "1.2.840.10008.1.2.4.57": "pylibjpeg",  # JPEG lossless
    "1.2.840.10008.1.2.4.70": "pylibjpeg",  # JPEG lossless, first-order prediction
    "1.2.840.10008.1.2.4.80": "pyjpegls",  # JPEG-LS lossless: pylibjpeg takes four times as long
    "1.2.840.10008.1.2.4.81": "pyjpegls",  # JPEG-LS near-lossless
    "1.2.840.10008.1.2.4.90": "pylibjpeg",  # JPEG 2000 lossless
    "1.2.840.10008.1.2.4.91": "pylibjpeg",  # JPEG 2000
    "1.2.840.10008.1.2.4.201": "pylibjpeg",  # HTJ2K lossless
    "1.2.840.10008.1.2.4.202": "pylibjpeg",  # HTJ2K lossless RPCL
    "1.2.840.10008.1.2.4.203": "pylibjpeg",  # HTJ2K
}


@dataclass(frozen=True, kw_only=True)
class Image(Facts):
    """An object that is about to be decoded. What was deflated is in Explicit VR Little Endian by now."""

    data: Dataset


def open_image(raw: bytes) -> Image:
    """The image in a PS3.10 file; RefusedError if it is none, or says of itself what cannot be."""
    source = Source(iter([raw]).__next__, len(raw))
    source.skip(132)
    syntax = read_uid(read_file_meta(source)[TRANSFER_SYNTAX])
    stream = BytesIO(raw)
    stream.seek(source.at)
    if syntax in DEFLATED:
        stream = BytesIO(_inflated(raw, source.at))
        syntax = EXPLICIT_SYNTAX
    data = read_dataset(stream, is_implicit_VR=syntax == IMPLICIT_SYNTAX, is_little_endian=syntax != BIG_ENDIAN_SYNTAX)
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = UID(syntax)
    return _checked(data, syntax)


def _inflated(raw: bytes, at: int) -> bytes:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    out = inflate.decompress(memoryview(raw)[at:], INFLATED)
    if not inflate.eof:
        raise RefusedError("deflate")
    return out


def _checked(data: Dataset, syntax: str) -> Image:
    if "PixelData" not in data:
        raise RefusedError("no-pixels")
    image = Image(
        data=data,
        syntax=syntax,
        rows=_number(data, "Rows"),
        columns=_number(data, "Columns"),
        samples=_number(data, "SamplesPerPixel", 1),
        bits=_number(data, "BitsAllocated"),
        stored=_number(data, "BitsStored", _number(data, "BitsAllocated")),
        signed=_number(data, "PixelRepresentation", 0) == 1,
        frames=_number(data, "NumberOfFrames", 1),
        photometric=str(data.get("PhotometricInterpretation", "")),
        planar=_number(data, "PlanarConfiguration", 0),
    )
    image.check(len(data.PixelData))
    return image


def _number(data: Dataset, keyword: str, default: int | None = None) -> int:
    value = data.get(keyword, default)
    if value is None or value == "":
        value = default
    if not isinstance(value, int):
        raise RefusedError("dimensions")
    return int(value)


def encoded(image: Image, index: int) -> bytes:
    """Frame `index` as it stands in the file: its code stream, or its native bytes in the file's byte order."""
    image.check_frame(index)
    if image.syntax not in NATIVE:
        return get_frame(image.data.PixelData, index, number_of_frames=image.frames)
    if image.frame_bits % 8:
        raise RefusedError("bits")
    size = image.frame_bits // 8
    return bytes(image.data.PixelData[index * size : (index + 1) * size])


def decoded(image: Image, index: int, *, rgb: bool = False) -> tuple[Pixels, str]:
    """Frame `index` as rows × columns (× samples) of stored values, and its Photometric Interpretation.

    With `rgb`, YBR is turned into RGB.
    """
    image.check_frame(index)
    if image.syntax in LITTLE_ENDIAN and image.bits in {8, 16} and "YBR" not in image.photometric:
        return _native(image, index), image.photometric
    plugin = _PLUGINS.get(image.syntax, "")
    if not plugin and image.syntax not in NATIVE:
        raise RefusedError("syntax")
    decoder = get_decoder(UID(image.syntax))
    pixels, about = decoder.as_array(image.data, index=index, raw=not rgb, decoding_plugin=plugin)
    little = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False)
    return np.ascontiguousarray(little), str(about["photometric_interpretation"])


def uncompressed(image: Image, index: int) -> tuple[bytes, str, int]:
    """Frame `index` as an Explicit VR Little Endian file has it, its photometric interpretation and bits allocated.

    The samples are by pixel or by plane as the object's own Planar Configuration says, which is what clients are told.
    """
    if image.syntax in LITTLE_ENDIAN:
        return encoded(image, index), image.photometric, image.bits
    pixels, photometric = decoded(image, index)
    if image.samples == 3 and image.planar == 1:
        pixels = pixels.transpose(2, 0, 1)
    return pixels.tobytes(), photometric, pixels.dtype.itemsize * 8


def _native(image: Image, index: int) -> Pixels:
    """Little endian bytes as they are: pydicom's way takes ten times as long, and every slice of a CT comes here."""
    kind = np.dtype(f"<{'i' if image.signed else 'u'}{image.bits // 8}")
    count = image.rows * image.columns * image.samples
    pixels = np.frombuffer(image.data.PixelData, kind, count, index * count * kind.itemsize)
    if image.samples == 1:
        return pixels.reshape(image.rows, image.columns)
    if image.planar == 1:
        return pixels.reshape(image.samples, image.rows, image.columns).transpose(1, 2, 0)
    return pixels.reshape(image.rows, image.columns, image.samples)
