"""A picture as a DICOM Part 10 file: CT, MR and DX objects with their mandatory modules (PS3.3 §A.3, §A.4, §A.26)."""

from datetime import datetime
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    MRImageStorage,
)

from smartapp.sandbox.scans.pictures import INTERCEPT, SPACING, THICKNESS, Picture
from smartapp.sandbox.world import Hospital, Person, Series, Study, uid_for

_SOP_CLASS = {"CT": CTImageStorage, "MR": MRImageStorage, "DX": DigitalXRayImageStorageForPresentation}
_WINDOW = {"soft": (40, 400), "lung": (-600, 1500), "bone": (400, 2000), "none": (40, 400)}
_KERNEL = {"soft": "Br40", "lung": "Bl57", "bone": "Br69", "none": "Br40"}
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
        pixels = picture.pixels
        if series.modality == "DX":
            self._add_view(header, picture.number)
            pixels = pixels if header.PhotometricInterpretation == "MONOCHROME2" else 4095 - pixels
        else:
            self._place(header, picture)
        header.PixelData = np.ascontiguousarray(pixels).tobytes()
        path = folder / series.uid / f"{uid}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        header.save_as(path, enforce_file_format=True)
        return path

    def _series_header(self, series: Series) -> FileDataset:
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = _SOP_CLASS[series.modality]
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.ImplementationClassUID = _IMPLEMENTATION
        meta.ImplementationVersionName = "SANDBOX_1"
        header = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        # Both encodings occur in real archives; older equipment wrote Latin-1.
        header.SpecificCharacterSet = "ISO_IR 100" if series.modality == "CT" else "ISO_IR 192"
        header.SOPClassUID = _SOP_CLASS[series.modality]
        self._add_patient_and_study(header)
        self._add_series(header, series)
        if series.modality == "DX":
            _add_dx(header, self._study)
        else:
            _add_geometry(header, self._study)
            {"CT": _add_ct, "MR": _add_mr}[series.modality](header, self._study, series)
        _add_pixel_module(header, series)
        return header

    def _add_patient_and_study(self, header: Dataset) -> None:
        person, study = self._person, self._study
        started = datetime.fromisoformat(study.started)
        header.PatientName = f"{person.family}^{person.given}"
        header.PatientID = person.mrn
        header.IssuerOfPatientID = self._hospital.issuer_of_patient_id
        header.PatientBirthDate = person.birth_date.replace("-", "")
        header.PatientSex = {"female": "F", "male": "M", "other": "O"}[person.gender]
        header.StudyInstanceUID = study.uid
        header.StudyDate = header.SeriesDate = header.AcquisitionDate = header.ContentDate = f"{started:%Y%m%d}"
        header.StudyTime = header.SeriesTime = header.AcquisitionTime = header.ContentTime = f"{started:%H%M%S}"
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
        header.BodyPartExamined = self._study.body_part
        header.InstitutionName = self._hospital.name
        header.Manufacturer = "Sandbox Imaging"
        header.ManufacturerModelName = f"Sandbox {series.modality}"
        header.SoftwareVersions = "1"
        header.DeviceSerialNumber = "0001"
        header.FrameOfReferenceUID = uid_for(self._study.uid, "frame of reference")
        header.PositionReferenceIndicator = ""
        header.BurnedInAnnotation = "NO"
        if series.modality != "DX":
            header.PatientPosition = "HFS"

    def _place(self, header: Dataset, picture: Picture) -> None:
        series, spacing = picture.series, SPACING[self._study.anatomy]
        left = -(series.columns - 1) / 2 * spacing
        top = -(series.rows - 1) / 2 * spacing
        header.ImagePositionPatient = [round(left, 4), round(top, 4), round(picture.z, 3)]
        header.SliceLocation = round(picture.z, 3)
        header.AcquisitionNumber = 1

    def _add_view(self, header: Dataset, number: int) -> None:
        straight = "AP" if self._study.anatomy == "knee" else "PA"
        header.ViewPosition = straight if number == 1 else "LLO"
        header.PatientOrientation = ["R", "F"] if number == 1 else ["RP", "F"]


def _add_geometry(header: Dataset, study: Study) -> None:
    spacing = round(SPACING[study.anatomy], 6)
    header.PixelSpacing = [spacing, spacing]
    header.SliceThickness = header.SpacingBetweenSlices = THICKNESS[study.anatomy]
    header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]


def _add_ct(header: Dataset, study: Study, series: Series) -> None:
    header.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    header.KVP = 120
    header.XRayTubeCurrent = 220
    header.ExposureTime = 500
    header.ConvolutionKernel = _KERNEL[series.kernel]
    header.ScanOptions = "HELICAL"
    header.DataCollectionDiameter = 500
    header.ReconstructionDiameter = round(SPACING[study.anatomy] * series.columns, 1)
    header.RescaleIntercept = INTERCEPT
    header.RescaleSlope = 1
    header.RescaleType = "HU"
    header.WindowCenter, header.WindowWidth = (40, 80) if study.anatomy == "head" else _WINDOW[series.kernel]


def _add_mr(header: Dataset, _study: Study, series: Series) -> None:
    weighted = series.description.split()[0]
    header.ImageType = ["ORIGINAL", "PRIMARY", "M", "SE"]
    header.ScanningSequence, header.SequenceVariant = "SE", "NONE"
    header.ScanOptions, header.MRAcquisitionType = "", "2D"
    header.RepetitionTime, header.EchoTime = (500, 12) if weighted == "T1" else (4200, 98)
    header.EchoTrainLength = 1
    header.MagneticFieldStrength = 1.5
    header.WindowCenter, header.WindowWidth = (450, 900) if weighted == "T1" else (500, 1000)


def _add_dx(header: Dataset, study: Study) -> None:
    spacing = SPACING[study.anatomy]
    header.ImageType = ["ORIGINAL", "PRIMARY", ""]
    header.ImagerPixelSpacing = header.PixelSpacing = [spacing, spacing]
    header.PresentationIntentType = "FOR PRESENTATION"
    header.ImageLaterality = header.Laterality = "R" if "right" in study.description.lower() else "L"
    header.PixelIntensityRelationship = "LOG"
    # PS3.3 §C.8.11.3: 1 where lower stored values mean less beam, as bone has it in MONOCHROME1; -1 the other way.
    header.PixelIntensityRelationshipSign = 1 if study.anatomy == "knee" else -1
    header.RescaleIntercept, header.RescaleSlope, header.RescaleType = 0, 1, "US"
    header.PresentationLUTShape = "INVERSE" if study.anatomy == "knee" else "IDENTITY"
    header.LossyImageCompression = "00"
    header.DetectorType = "DIRECT"
    header.AcquisitionContextSequence = []
    header.AnatomicRegionSequence = [_code(*study.body_site)]
    header.WindowCenter, header.WindowWidth = (2200, 4000) if study.anatomy == "knee" else (1900, 3600)
    header.KVP = 60


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return item


def _add_pixel_module(header: Dataset, series: Series) -> None:
    knee = series.modality == "DX" and header.PresentationLUTShape == "INVERSE"
    header.SamplesPerPixel = 1
    header.PhotometricInterpretation = "MONOCHROME1" if knee else "MONOCHROME2"
    header.Rows, header.Columns = series.rows, series.columns
    header.BitsAllocated = 16
    header.BitsStored = {"CT": 16, "MR": 16, "DX": 12}[series.modality]
    header.HighBit = header.BitsStored - 1
    header.PixelRepresentation = 1 if series.modality == "CT" else 0
