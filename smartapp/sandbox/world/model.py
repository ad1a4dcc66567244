"""What the sample world is made of: people, their scans and their reports, and who can sign in."""

import hashlib
from dataclasses import dataclass, field
from typing import Literal

ReportStatus = Literal["preliminary", "final", "amended"]
UserKind = Literal["patient", "representative", "clinician"]
Kernel = Literal["soft", "lung", "bone", "none"]
Anatomy = Literal[
    "chest", "head", "abdomen", "hand", "knee", "brain-mr", "pet", "breast", "ultrasound", "doppler", "thumbnail"
]

EXPLICIT = "1.2.840.10008.1.2.1"
"""Explicit VR Little Endian, uncompressed."""


def uid_for(*parts: str) -> str:
    """A DICOM UID derived from names (PS3.5 §B.2: 2.25 and a decimal UUID-sized number)."""
    digest = hashlib.sha256("/".join(parts).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:15], 'big')}"


@dataclass(frozen=True)
class Series:
    """One series to draw: `slices` instances of `rows` × `columns`, reconstructed with `kernel`.

    Each instance has `frames` frames and is stored in `transfer_syntax`. Documents have no rows.
    """

    uid: str
    number: int
    description: str
    modality: str
    slices: int
    rows: int
    columns: int
    kernel: Kernel = "none"
    transfer_syntax: str = EXPLICIT
    frames: int = 1


@dataclass(frozen=True)
class Report:
    """A DiagnosticReport: plain sentences, conclusion apart. `issued` is an ISO date and time with offset."""

    id: str
    status: ReportStatus
    issued: str
    title: str
    findings: str
    conclusion: str


@dataclass(frozen=True)
class Study:
    """One imaging study, as EHR (`imaging_study_id`, `service_request_id`) and PACS (`uid`) know it.

    `slab`: the height of the lowest slice and the step, in millimetres, where a study shows only a part of its
    anatomy. `filed_under`: the PatientID in the PACS where it is not the current record number. `labels`: the EHR's
    security labels of the study and its report (v3-Confidentiality).
    """

    uid: str
    imaging_study_id: str
    service_request_id: str
    accession: str
    started: str
    description: str
    anatomy: Anatomy
    body_part: str
    body_site: tuple[str, str]
    modalities: tuple[str, ...]
    series: tuple[Series, ...]
    report: Report | None = None
    slab: tuple[float, float] | None = None
    filed_under: str | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Denial:
    """A Consent in the EHR that keeps something from everybody: what has one of the `labels` (v3-Confidentiality), is
    of one of the `classes` (resource types), or is one of the `studies` (their `imaging_study_id`).

    `but_since`: an ISO date; what is of that day or later is excepted, by a permission nested in it.
    """

    name: str
    labels: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()
    but_since: str | None = None


@dataclass(frozen=True)
class Person:
    """A patient at one hospital. `identifiers` are (system, value), the first one the current MRN.

    `replaces`: the ids of records that were merged into this one, and are no longer in use. `refused`: the name of
    an organization that the person's Consent in the EHR keeps from the record; `denials` are further Consents.
    """

    id: str
    family: str
    given: str
    birth_date: str
    gender: Literal["female", "male", "other"]
    identifiers: tuple[tuple[str, str], ...]
    studies: tuple[Study, ...] = ()
    replaces: tuple[str, ...] = ()
    refused: str | None = None
    denials: tuple[Denial, ...] = ()

    @property
    def mrn(self) -> str:
        """The current medical record number, which is the DICOM PatientID."""
        return self.identifiers[0][1]


@dataclass(frozen=True)
class User:
    """Somebody who can sign in at a hospital's portal. `patients` are the records that the sign-in may choose from."""

    username: str
    password: str
    kind: UserKind
    fhir_user: str
    name: str
    patients: tuple[str, ...] = ()
    acts_for: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hospital:
    """One hospital: `issuer_of_patient_id` is the DICOM namespace of its MRNs, `mrn_system` the FHIR one.

    `imaging_study`: whether its EHR publishes ImagingStudy at all; many do not. `city` is a city and its state;
    `clinics` are (id, name, website) of houses whose records are here as well.
    """

    id: str
    name: str
    mrn_system: str
    issuer_of_patient_id: str
    timezone: str
    people: tuple[Person, ...] = ()
    users: tuple[User, ...] = ()
    imaging_study: bool = True
    website: str = ""
    city: tuple[str, str] = ("", "")
    clinics: tuple[tuple[str, str, str], ...] = ()

    def person(self, person_id: str) -> Person:
        """The person with this id; KeyError if there is none."""
        for person in self.people:
            if person.id == person_id:
                return person
        raise KeyError(person_id)


@dataclass(frozen=True)
class World:
    """All hospitals. The first one is where the tour starts."""

    hospitals: tuple[Hospital, ...] = field(default_factory=tuple)

    def hospital(self, hospital_id: str) -> Hospital:
        """The hospital with this id; KeyError if there is none."""
        for hospital in self.hospitals:
            if hospital.id == hospital_id:
                return hospital
        raise KeyError(hospital_id)


def series(
    study: str,
    number: int,
    description: str,
    modality: str,
    slices: int,
    size: tuple[int, int],
    kernel: Kernel = "none",
    transfer_syntax: str = EXPLICIT,
    frames: int = 1,
) -> Series:
    """A series whose UID follows from the name of its study and its number."""
    uid = uid_for(study, str(number))
    return Series(uid, number, description, modality, slices, *size, kernel, transfer_syntax, frames)


def radiograph(
    hospital: str,
    person: str,
    anatomy: Anatomy,
    started: str,
    accession: str,
    what: tuple[str, str, str, str],
    report: Report | None = None,
) -> Study:
    """An X-ray of one view. `what`: description, DICOM body part, SNOMED code and words of the body site."""
    description, body_part, code, display = what
    name = f"{hospital}/{person}/{anatomy}"
    return Study(
        uid=uid_for(name),
        imaging_study_id=f"img-{person}-{anatomy}",
        service_request_id=f"order-{person}-{anatomy}",
        accession=accession,
        started=started,
        description=description,
        anatomy=anatomy,
        body_part=body_part,
        body_site=(code, display),
        modalities=("DX",),
        series=(series(name, 1, description, "DX", 1, (1024, 832)),),
        report=report,
    )
