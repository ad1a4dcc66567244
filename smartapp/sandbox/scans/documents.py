"""Documents that lie among the pictures: measurements as a structured report, and a report as PDF."""

from datetime import datetime

from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage

from smartapp.sandbox.ehr.resources.pdf import one_page
from smartapp.sandbox.scans.iods import code
from smartapp.sandbox.world import Hospital, Person, Series, Study, uid_for

_DIAMETER_MM = "5"


def add_document(header: Dataset, hospital: Hospital, person: Person, study: Study, series: Series) -> None:
    """Adds the content of a series without pictures: SR (PS3.3 §A.35.3) or DOC (§A.45.1)."""
    header.InstanceNumber = 1
    if series.modality == "SR":
        _add_measurements(header, hospital, study)
    else:
        _add_pdf(header, hospital, person, study)


def _add_pdf(header: Dataset, hospital: Hospital, person: Person, study: Study) -> None:
    sentences = [study.report.findings, study.report.conclusion] if study.report else []
    header.ConversionType = "WSD"
    header.AcquisitionDateTime = f"{header.StudyDate}{header.StudyTime}"
    header.BurnedInAnnotation = "YES"  # the patient's name is on the page
    header.DocumentTitle = study.description
    header.ConceptNameCodeSequence = [code("18748-4", "Diagnostic imaging study", "LN")]
    header.MIMETypeOfEncapsulatedDocument = "application/pdf"
    pdf = one_page([hospital.name, f"{person.given} {person.family}", study.description, *sentences])
    header.EncapsulatedDocumentLength = len(pdf)
    header.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)


def _add_measurements(header: Dataset, hospital: Hospital, study: Study) -> None:
    header.ReferencedPerformedProcedureStepSequence = []
    header.CompletionFlag, header.VerificationFlag = "COMPLETE", "VERIFIED"
    header.PreliminaryFlag = "FINAL"
    header.PerformedProcedureCodeSequence = []
    header.VerifyingObserverSequence = [_observer(hospital, study)]
    header.CurrentRequestedProcedureEvidenceSequence = [_evidence(study)]
    header.ValueType, header.ContinuityOfContent = "CONTAINER", "SEPARATE"
    header.ConceptNameCodeSequence = [code("126000", "Imaging Measurement Report", "DCM")]
    header.ContentSequence = [_finding(), _diameter(study), _conclusion(study)]


def _observer(hospital: Hospital, study: Study) -> Dataset:
    observer = Dataset()
    observer.VerifyingObserverName = "Lee^Morgan^^Dr."
    observer.VerifyingObserverIdentificationCodeSequence = []
    observer.VerifyingOrganization = hospital.name
    observer.VerificationDateTime = f"{datetime.fromisoformat(study.started):%Y%m%d%H%M%S}"
    return observer


def _evidence(study: Study) -> Dataset:
    image = study.series[0]
    series = Dataset()
    series.SeriesInstanceUID = image.uid
    series.ReferencedSOPSequence = [_image(study)]
    evidence = Dataset()
    evidence.StudyInstanceUID = study.uid
    evidence.ReferencedSeriesSequence = [series]
    return evidence


def _image(study: Study) -> Dataset:
    """The slice that was measured: the middle one."""
    image = study.series[0]
    named = Dataset()
    named.ReferencedSOPClassUID = CTImageStorage
    named.ReferencedSOPInstanceUID = uid_for(image.uid, str((image.slices + 1) // 2))
    return named


def _item(relation: str, value_type: str, name: Dataset | None = None) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = relation, value_type
    if name is not None:
        item.ConceptNameCodeSequence = [name]
    return item


def _finding() -> Dataset:
    item = _item("CONTAINS", "CODE", code("121071", "Finding", "DCM"))
    item.ConceptCodeSequence = [code("427359005", "Solitary nodule of lung")]
    return item


def _diameter(study: Study) -> Dataset:
    item = _item("CONTAINS", "NUM", code("81827009", "Diameter"))
    value = Dataset()
    value.NumericValue = _DIAMETER_MM
    value.MeasurementUnitsCodeSequence = [code("mm", "millimeter", "UCUM")]
    item.MeasuredValueSequence = [value]
    source = _item("INFERRED FROM", "IMAGE")
    source.ReferencedSOPSequence = [_image(study)]
    item.ContentSequence = [source]
    return item


def _conclusion(study: Study) -> Dataset:
    item = _item("CONTAINS", "TEXT", code("121077", "Conclusion", "DCM"))
    item.TextValue = study.report.conclusion if study.report else "None."
    return item
