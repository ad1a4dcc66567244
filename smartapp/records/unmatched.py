"""The studies that EHR and PACS give to different people, as each of them tells it: what staff need to put it right.

Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from smartapp.dicomweb.core.dicomjson import get
from smartapp.fhir.upstream.model import Fetched, ImagingStudyFacts
from smartapp.records.model import IndexedStudy, StudyIndex


@dataclass(frozen=True)
class Unmatched:
    """A withheld study. `ours` are the PatientIDs that are the patient's; `subjects` are whose the EHR says it is
    (FHIR logical ids), `patient_id` and `issuer` whose the PACS says it is; empty where one does not have the study.

    `started` is aware, at the hospital's clock.
    """

    uid: str
    ours: tuple[str, ...]
    subjects: tuple[str, ...]
    imaging_studies: tuple[str, ...]
    patient_id: str
    issuer: str
    accessions: tuple[str, ...]
    started: datetime | None
    description: str
    modalities: tuple[str, ...]


@dataclass(frozen=True)
class Refreshed:
    """What a refresh found that does not match. `at` (UTC) is when it began to ask.

    `complete`: EHR and PACS told all their studies, so one that is not named here disagrees no more.
    """

    at: datetime
    unmatched: tuple[Unmatched, ...]
    complete: bool


def refreshed(index: StudyIndex, ehr: Fetched[list[ImagingStudyFacts]]) -> Refreshed:
    """What staff is to know of `index`, for which EHR and PACS both answered."""
    return Refreshed(
        at=index.fetched_at,
        unmatched=tuple(_told(index, study, ehr.items) for study in index.studies if study.contradicted),
        complete=not ehr.problems,
    )


def _told(index: StudyIndex, study: IndexedStudy, ehr: Iterable[ImagingStudyFacts]) -> Unmatched:
    said = [each for each in ehr if each.uid == study.uid]
    row = study.row
    return Unmatched(
        uid=study.uid,
        ours=index.ids.values,
        subjects=_once(each.subject for each in said),
        imaging_studies=_once(each.id for each in said),
        patient_id=get(row, "PatientID"),
        issuer=get(row, "IssuerOfPatientID"),
        accessions=_once([get(row, "AccessionNumber"), *(one.value for each in said for one in each.accessions)]),
        started=study.started,
        description=study.description,
        modalities=study.modalities,
    )


def _once(values: Iterable[str]) -> tuple[str, ...]:
    found: Sequence[str] = [value for value in dict.fromkeys(values) if value]
    return tuple(found)
