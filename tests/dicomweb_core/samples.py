"""Small DICOM files, written by pydicom."""

import io
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

CT = "1.2.840.10008.5.1.4.1.1.2"
STUDY = "1.2.826.0.1.3680043.8.498.1"
SERIES = "1.2.826.0.1.3680043.8.498.1.2"
SOP = "1.2.826.0.1.3680043.8.498.1.2.3"
SYNTAXES = {
    "implicit": ImplicitVRLittleEndian,
    "explicit": ExplicitVRLittleEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "big-endian": ExplicitVRBigEndian,
}


def nested(depth: int, *, undefined: bool) -> Sequence:
    """A sequence of sequences, `depth` of them."""
    inner = Dataset()
    inner.CodeValue = "T-D1100"
    for _ in range(depth):
        outer = Dataset()
        outer.PurposeOfReferenceCodeSequence = Sequence([inner, inner] if depth < 5 else [inner])
        outer["PurposeOfReferenceCodeSequence"].is_undefined_length = undefined
        inner = outer
    return Sequence([inner])


def ct(pixels: np.ndarray[Any, Any] | None = None, *, samples: int = 1, **attributes: Any) -> Dataset:
    """A CT image of `pixels` (16 × 16 of 0…255 if none)."""
    pixels = np.arange(256, dtype=np.int16).reshape(16, 16) if pixels is None else pixels
    data = Dataset()
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID, data.SOPInstanceUID = CT, SOP
    data.StudyInstanceUID, data.SeriesInstanceUID = STUDY, SERIES
    data.StudyDate = "20260102"
    data.PatientName = "Sample^Person"
    data.PatientID = "MRN-1"
    data.Modality = "CT"
    data.SamplesPerPixel = samples
    data.PhotometricInterpretation = "MONOCHROME2" if samples == 1 else "RGB"
    axis = -2 if samples == 1 else -3
    data.Rows, data.Columns = pixels.shape[axis], pixels.shape[axis + 1]
    if samples > 1:
        data.PlanarConfiguration = 0
    data.BitsAllocated = data.BitsStored = pixels.dtype.itemsize * 8
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    data.PixelData = pixels.tobytes()
    data["PixelData"].VR = "OW"
    for name, value in attributes.items():
        setattr(data, name, value)
    return data


def part10(data: Dataset, syntax: str = ExplicitVRLittleEndian, preamble: bytes = bytes(128)) -> bytes:
    """The file of `data` in one of the uncompressed syntaxes."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID = data.SOPClassUID
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.file_meta, data.preamble = meta, preamble
    out = io.BytesIO()
    data.save_as(out, enforce_file_format=True)
    return out.getvalue()
