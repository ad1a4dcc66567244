"""What each kind of image says of itself beside patient, study and series (PS3.3 §A.3, §A.4, §A.6, §A.21, §A.26)."""

from datetime import datetime, timedelta

from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    ComprehensiveSRStorage,
    CTImageStorage,
    DigitalMammographyXRayImageStorageForPresentation,
    DigitalXRayImageStorageForPresentation,
    EncapsulatedPDFStorage,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    UltrasoundMultiFrameImageStorage,
)

from smartapp.sandbox.scans.encode import JPEG_BASELINE
from smartapp.sandbox.scans.pictures import INTERCEPT, spacing, step
from smartapp.sandbox.world import Series, Study

_SOP_CLASS = {
    "CT": CTImageStorage,
    "MR": MRImageStorage,
    "DX": DigitalXRayImageStorageForPresentation,
    "PT": PositronEmissionTomographyImageStorage,
    "US": UltrasoundMultiFrameImageStorage,
    "MG": DigitalMammographyXRayImageStorageForPresentation,
    "SR": ComprehensiveSRStorage,
    "DOC": EncapsulatedPDFStorage,
}
_WINDOW = {"soft": (40, 400), "lung": (-600, 1500), "bone": (400, 2000), "none": (40, 400)}
_KERNEL = {"soft": "Br40", "lung": "Bl57", "bone": "Br69", "none": "Br40"}
SLICED = frozenset({"CT", "MR", "PT"})
"""Modalities whose pictures have a place in the patient (PS3.3 §C.7.6.2)."""
FRAME_TIME = 50.0
"""Milliseconds from frame to frame of an ultrasound clip."""
_STRAIGHT = {"hand": "PA"}
VIEWS = (("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO"))
"""Breast and view of a mammography's pictures, by InstanceNumber."""


def sop_class(modality: str) -> UID:
    """The storage class of a modality's objects; KeyError for one that nobody draws."""
    return _SOP_CLASS[modality]


def add_image(header: Dataset, study: Study, series: Series) -> None:
    """Adds what all images of the series share, the Image Pixel module without the pixels among it."""
    if series.modality in SLICED:
        _add_geometry(header, study, series)
    _ADD[series.modality](header, study, series)
    _add_pixel_module(header, series)


def _add_geometry(header: Dataset, study: Study, series: Series) -> None:
    apart = round(spacing(study, series), 6)
    header.PixelSpacing = [apart, apart]
    header.SliceThickness = header.SpacingBetweenSlices = step(study)
    header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]


def _add_ct(header: Dataset, study: Study, series: Series) -> None:
    header.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    header.KVP = 120
    header.XRayTubeCurrent = 220
    header.ExposureTime = 500
    header.ConvolutionKernel = _KERNEL[series.kernel]
    header.ScanOptions = "HELICAL"
    header.DataCollectionDiameter = 500
    header.ReconstructionDiameter = round(spacing(study, series) * series.columns, 1)
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


def _add_dx(header: Dataset, study: Study, series: Series) -> None:
    apart = round(spacing(study, series), 6)
    header.ImageType = ["ORIGINAL", "PRIMARY", ""]
    header.ImagerPixelSpacing = header.PixelSpacing = [apart, apart]
    header.PresentationIntentType = "FOR PRESENTATION"
    header.ImageLaterality = "R" if "right" in study.description.lower() else "L"
    header.PixelIntensityRelationship = "LOG"
    # PS3.3 §C.8.11.3: 1 where lower stored values mean less beam, as bone has it in MONOCHROME1; -1 the other way.
    header.PixelIntensityRelationshipSign = 1 if study.anatomy == "knee" else -1
    header.RescaleIntercept, header.RescaleSlope, header.RescaleType = 0, 1, "US"
    header.PresentationLUTShape = "INVERSE" if study.anatomy == "knee" else "IDENTITY"
    header.LossyImageCompression = "00"
    header.DetectorType, header.PositionerType = "DIRECT", ""
    header.AcquisitionContextSequence = []
    header.AnatomicRegionSequence = [code(*study.body_site)]
    header.WindowCenter, header.WindowWidth = (2200, 4000) if study.anatomy == "knee" else (1900, 3600)
    header.KVP = 60


def _add_pt(header: Dataset, study: Study, series: Series) -> None:
    start = datetime.fromisoformat(study.started)
    header.ImageType = ["ORIGINAL", "PRIMARY"]
    header.SeriesType = ["STATIC", "IMAGE"]
    header.Units, header.CountsSource, header.DecayCorrection = "BQML", "EMISSION", "START"
    header.CorrectedImage = ["DECY", "ATTN"]
    header.CollimatorType = "NONE"
    header.NumberOfSlices = series.slices
    header.RescaleIntercept, header.RescaleSlope = 0, 1
    header.FrameReferenceTime, header.DecayFactor = 0, 1
    header.ActualFrameDuration = 120000
    header.ReconstructionMethod = "OSEM"
    header.LossyImageCompression = "00"
    header.WindowCenter, header.WindowWidth = 5000, 10000
    dose = Dataset()
    dose.RadionuclideCodeSequence = [code("77004003", "^18^Fluorine")]
    dose.RadiopharmaceuticalCodeSequence = [code("35321007", "Fluorodeoxyglucose F^18^")]
    dose.Radiopharmaceutical = "FDG"
    dose.RadiopharmaceuticalStartTime = f"{start - timedelta(hours=1):%H%M%S}"
    dose.RadionuclideTotalDose = 350000000
    dose.RadionuclideHalfLife = 6586.2
    header.RadiopharmaceuticalInformationSequence = [dose]
    header.PatientOrientationCodeSequence = [code("102538003", "recumbent")]
    header.PatientOrientationCodeSequence[0].PatientOrientationModifierCodeSequence = [code("40199007", "supine")]
    header.PatientGantryRelationshipCodeSequence = [code("102540008", "headfirst")]


def _add_us(header: Dataset, study: Study, series: Series) -> None:
    colour = study.anatomy == "doppler"
    header.ImageType = ["ORIGINAL", "PRIMARY", *(("TTE", "0011") if colour else ("SMALL PARTS", "0001"))]
    header.PatientOrientation = ""
    header.NumberOfFrames = series.frames
    header.FrameTime = FRAME_TIME
    header.FrameIncrementPointer = 0x00181063
    header.RecommendedDisplayFrameRate = header.CineRate = round(1000 / FRAME_TIME)
    header.StartTrim, header.StopTrim = 1, series.frames
    header.UltrasoundColorDataPresent = int(colour)
    header.LossyImageCompression = "01" if series.transfer_syntax == JPEG_BASELINE else "00"
    if header.LossyImageCompression == "01":
        header.LossyImageCompressionRatio = 8
        header.LossyImageCompressionMethod = "ISO_10918_1"
    header.SequenceOfUltrasoundRegions = [_region(study, series)]


def _region(study: Study, series: Series) -> Dataset:
    """The whole picture is one region, in centimetres both ways (PS3.3 §C.8.5.5)."""
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0 = region.RegionLocationMinY0 = 0
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = series.columns - 1, series.rows - 1
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX = region.PhysicalDeltaY = round(spacing(study, series) / 10, 6)
    return region


def _add_mg(header: Dataset, study: Study, series: Series) -> None:
    apart = round(spacing(study, series), 6)
    header.ImageType = ["ORIGINAL", "PRIMARY", ""]
    header.PresentationIntentType = "FOR PRESENTATION"
    header.ImagerPixelSpacing = header.PixelSpacing = [apart, apart]
    header.EstimatedRadiographicMagnificationFactor = 1
    header.PixelIntensityRelationship, header.PixelIntensityRelationshipSign = "LOG", -1
    header.RescaleIntercept, header.RescaleSlope, header.RescaleType = 0, 1, "US"
    header.PresentationLUTShape = "IDENTITY"
    header.LossyImageCompression = "00"
    header.DetectorType, header.PositionerType = "DIRECT", "MAMMOGRAPHIC"
    header.KVP, header.BodyPartThickness = 29, 52
    header.OrganExposed, header.BreastImplantPresent, header.PartialView = "BREAST", "NO", "NO"
    header.AcquisitionContextSequence = []
    header.AnatomicRegionSequence = [code(*study.body_site)]
    header.WindowCenter, header.WindowWidth = 1900, 3600


def add_view(header: Dataset, study: Study, number: int) -> None:
    """Adds how the patient stood before the detector in the picture of this InstanceNumber (DX and MG)."""
    if header.Modality == "MG":
        side, view = VIEWS[number - 1]
        header.ImageLaterality, header.ViewPosition = side, view
        header.PatientOrientation = ["P" if side == "R" else "A", "L" if view == "CC" else "FL"]
        seen = code("399162004", "cranio-caudal") if view == "CC" else code("399368009", "medio-lateral oblique")
        seen.ViewModifierCodeSequence = []
        header.ViewCodeSequence = [seen]
        return
    header.ViewPosition = _STRAIGHT.get(study.anatomy, "AP") if number == 1 else "LLO"
    header.PatientOrientation = ["R", "F"] if number == 1 else ["RP", "F"]


def code(value: str, meaning: str, scheme: str = "SCT") -> Dataset:
    """A coded concept (PS3.3 §8.8); SNOMED CT unless another scheme is named."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _add_pixel_module(header: Dataset, series: Series) -> None:
    header.SamplesPerPixel = 1
    header.PhotometricInterpretation = (
        "MONOCHROME1" if header.get("PresentationLUTShape") == "INVERSE" else "MONOCHROME2"
    )
    header.Rows, header.Columns = series.rows, series.columns
    header.BitsStored = {"CT": 16, "MR": 16, "DX": 12, "PT": 16, "MG": 12, "US": 8}[series.modality]
    header.BitsAllocated = 8 if series.modality == "US" else 16
    header.HighBit = header.BitsStored - 1
    header.PixelRepresentation = 1 if series.modality == "CT" else 0
    if header.get("UltrasoundColorDataPresent"):
        header.SamplesPerPixel, header.PlanarConfiguration = 3, 0
        header.PhotometricInterpretation = "YBR_FULL_422"  # what is in a JPEG file (PS3.5 §8.2.1)


_ADD = {"CT": _add_ct, "MR": _add_mr, "DX": _add_dx, "PT": _add_pt, "US": _add_us, "MG": _add_mg}
