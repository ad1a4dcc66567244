"""A picture or a document as a DICOM Part 10 file with its mandatory modules (PS3.3 §A, PS3.10 §7)."""

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from smartapp.sandbox.scans.documents import add_document
from smartapp.sandbox.scans.encode import encoded_frames
from smartapp.sandbox.scans.iods import SLICED, add_image, add_view, sop_class
from smartapp.sandbox.scans.pictures import Picture, spacing
from smartapp.sandbox.world import Hospital, Person, Series, Study, uid_for

_IMPLEMENTATION = UID(uid_for("smartapp", "sandbox", "scans"))


def sop_instance_uid(series: Series, number: int) -> str:
    """The SOPInstanceUID of the series' instance with this InstanceNumber."""
    return uid_for(series.uid, str(number))


class Writer:
    """Writes the instances of one study of one person. What all share is filled in once; each picture adds its own."""

    def __init__(self, hospital: Hospital, person: Person, study: Study) -> None:
        self._hospital = hospital
        self._person = person
        self._study = study
        self._shared = {series.uid: self._series_header(series) for series in study.series}

    def write(self, picture: Picture, folder: Path) -> Path:
        """Writes `<series uid>/<sop uid>.dcm` below `folder` and returns its path; OSError if the disk refuses."""
        series = picture.series
        header = self._shared[series.uid]
        uid = UID(sop_instance_uid(series, picture.number))
        header.SOPInstanceUID = uid
        header.InstanceNumber = picture.number
        header.file_meta.MediaStorageSOPInstanceUID = uid
        if picture.pixels is not None:
            self._add_pixels(header, picture, picture.pixels)
        path = folder / series.uid / f"{uid}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        header.save_as(path, enforce_file_format=True)
        return path

    def _add_pixels(self, header: FileDataset, picture: Picture, pixels: NDArray[Any]) -> None:
        series = picture.series
        if series.modality in SLICED:
            self._place(header, picture)
        elif series.modality in {"DX", "MG"}:
            add_view(header, self._study, picture.number)
        if header.PhotometricInterpretation == "MONOCHROME1":
            pixels = 4095 - pixels
        if UID(series.transfer_syntax).is_encapsulated:
            header.PixelData = encapsulate(encoded_frames(header, pixels, series.transfer_syntax))
            header["PixelData"].VR = "OB"
            header["PixelData"].is_undefined_length = True
        else:
            header.PixelData = np.ascontiguousarray(pixels).tobytes()
            header["PixelData"].VR = "OW" if header.BitsAllocated > 8 else "OB"

    def _series_header(self, series: Series) -> FileDataset:
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = sop_class(series.modality)
        meta.TransferSyntaxUID = UID(series.transfer_syntax)
        meta.ImplementationClassUID = _IMPLEMENTATION
        meta.ImplementationVersionName = "SANDBOX_1"
        header = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        # Both encodings occur in real archives; older equipment wrote Latin-1.
        header.SpecificCharacterSet = "ISO_IR 100" if series.modality == "CT" else "ISO_IR 192"
        header.SOPClassUID = meta.MediaStorageSOPClassUID
        self._add_patient_and_study(header)
        self._add_series(header, series)
        if series.rows:
            add_image(header, self._study, series)
        else:
            add_document(header, self._hospital, self._person, self._study, series)
        return header

    def _add_patient_and_study(self, header: Dataset) -> None:
        person, study = self._person, self._study
        started = datetime.fromisoformat(study.started)
        header.PatientName = f"{person.family}^{person.given}"
        header.PatientID = study.filed_under or person.mrn
        header.IssuerOfPatientID = self._hospital.issuer_of_patient_id
        header.PatientBirthDate = person.birth_date.replace("-", "")
        header.PatientSex = {"female": "F", "male": "M", "other": "O"}[person.gender]
        header.StudyInstanceUID = study.uid
        header.StudyDate = header.SeriesDate = header.ContentDate = f"{started:%Y%m%d}"
        header.StudyTime = header.SeriesTime = header.ContentTime = f"{started:%H%M%S}"
        header.TimezoneOffsetFromUTC = f"{started:%z}"
        header.AccessionNumber = study.accession
        header.ReferringPhysicianName = "Lee^Morgan^^Dr."
        header.StudyID = study.accession[-6:]
        header.StudyDescription = study.description

    def _add_series(self, header: Dataset, series: Series) -> None:
        header.Modality = series.modality
        header.SeriesInstanceUID = series.uid
        header.SeriesNumber = series.number
        header.SeriesDescription = series.description
        header.InstitutionName = self._hospital.name
        header.Manufacturer = "Sandbox Imaging"
        header.ManufacturerModelName = f"Sandbox {series.modality}"
        header.SoftwareVersions = "1"
        header.DeviceSerialNumber = "0001"
        if series.rows:
            header.BodyPartExamined = self._study.body_part
            header.BurnedInAnnotation = "NO"
            header.AcquisitionDate, header.AcquisitionTime = header.ContentDate, header.ContentTime
        if series.modality in {"CT", "MR"}:
            header.PatientPosition = "HFS"
        if series.modality in SLICED | {"DX"}:
            header.FrameOfReferenceUID = uid_for(self._study.uid, "frame of reference")
            header.PositionReferenceIndicator = ""

    def _place(self, header: Dataset, picture: Picture) -> None:
        series = picture.series
        apart = spacing(self._study, series)
        left = -(series.columns - 1) / 2 * apart
        top = -(series.rows - 1) / 2 * apart
        header.ImagePositionPatient = [round(left, 4), round(top, 4), round(picture.z, 3)]
        header.SliceLocation = round(picture.z, 3)
        header.AcquisitionNumber = 1
        if series.modality == "PT":
            header.ImageIndex = picture.number
