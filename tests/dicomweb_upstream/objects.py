"""Small DICOM objects and permits, made for tests."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from io import BytesIO

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian

from smartapp.consent.mint import mint, mint_index
from smartapp.consent.model import Action, Decision, IndexPermit, Permit, Purpose, Question
from smartapp.identity.model import PatientKey, Principal, PrincipalKind

CT = "1.2.840.10008.5.1.4.1.1.2"
PATIENT = PatientKey("st-elsewhere", "ana")
END = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Made:
    """What an object says of itself."""

    sop: str
    series: str = "1.2.3.1"
    study: str = "1.2.3"
    patient_id: str = "SE-1001"
    issuer: str = "ST-ELSEWHERE"
    number: int = 1
    size: int = 8
    burned_in: str = ""


def dataset(made: Made) -> Dataset:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = UID(CT), UID(made.sop), "CT"
    ds.PatientID, ds.PatientName, ds.StudyDate, ds.StudyTime = made.patient_id, "Rivera^Ana", "20260917", "094200"
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    if made.burned_in:
        ds.BurnedInAnnotation = made.burned_in
    if made.issuer:
        ds.IssuerOfPatientID = made.issuer
    ds.StudyInstanceUID, ds.SeriesInstanceUID = made.study, made.series
    ds.SeriesNumber, ds.InstanceNumber = 1, made.number
    ds.Rows = ds.Columns = made.size
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 12, 11
    pattern = bytes((made.number * 7 + at) % 256 if at % 2 == 0 else 1 for at in range(256))
    ds.PixelData = (pattern * (made.size**2 // 128 + 1))[: made.size**2 * 2]
    return ds


@cache
def file_of(made: Made, preamble: bytes = bytes(128)) -> bytes:
    ds = dataset(made)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(CT), UID(made.sop)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta, ds.preamble = meta, preamble
    out = BytesIO()
    dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()


def principal(patient: PatientKey = PATIENT) -> Principal:
    return Principal(PrincipalKind.PATIENT, "person-1", "ses-1", "ctx-1", patient, "cred-1", END)


def permit(*studies: str, patient: PatientKey = PATIENT) -> Permit:
    question = Question(principal(patient), patient, Action.VIEW_IMAGES, Purpose.PATRQT, END)
    decision = Decision(allowed=True, visible=frozenset(studies), reasons=())
    return mint(question, decision, disclosure_id="dis-1", expires_at=END, still_held=lambda: None)


def index_permit(patient: PatientKey = PATIENT) -> IndexPermit:
    return mint_index(patient, "cred-1")
