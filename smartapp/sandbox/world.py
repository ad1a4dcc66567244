"""The sample people, their scans and their reports: the one truth that the sandbox's EHR and PACS both tell.

Everything is derived from names, so every start makes the same world: the same ids, UIDs and pictures.
All people are invented.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Literal

ReportStatus = Literal["preliminary", "final", "amended"]
UserKind = Literal["patient", "representative", "clinician"]
Anatomy = Literal["chest", "head", "abdomen", "hand", "knee", "brain-mr"]


def uid_for(*parts: str) -> str:
    """A DICOM UID derived from names (PS3.5 §B.2: 2.25 and a decimal UUID-sized number)."""
    digest = hashlib.sha256("/".join(parts).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:15], 'big')}"


@dataclass(frozen=True)
class Series:
    """One series to draw: `slices` instances of `rows` × `columns`, reconstructed with `kernel`."""

    uid: str
    number: int
    description: str
    modality: str
    slices: int
    rows: int
    columns: int
    kernel: Literal["soft", "lung", "bone", "none"] = "none"


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
    """One imaging study, as EHR (`imaging_study_id`, `service_request_id`) and PACS (`uid`) know it."""

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


@dataclass(frozen=True)
class Person:
    """A patient at one hospital. `identifiers` are (system, value), the first one the current MRN."""

    id: str
    family: str
    given: str
    birth_date: str
    gender: Literal["female", "male", "other"]
    identifiers: tuple[tuple[str, str], ...]
    studies: tuple[Study, ...] = ()

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
    """One hospital: `issuer_of_patient_id` is the DICOM namespace of its MRNs, `mrn_system` the FHIR one."""

    id: str
    name: str
    mrn_system: str
    issuer_of_patient_id: str
    timezone: str
    people: tuple[Person, ...] = ()
    users: tuple[User, ...] = ()


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


def _series(
    study: str,
    number: int,
    description: str,
    modality: str,
    slices: int,
    size: tuple[int, int],
    kernel: Literal["soft", "lung", "bone", "none"] = "none",
) -> Series:
    return Series(uid_for(study, str(number)), number, description, modality, slices, size[0], size[1], kernel)


def _ana_ct_chest() -> Study:
    name = "st-elsewhere/ana/ct-chest"
    return Study(
        uid=uid_for(name),
        imaging_study_id="img-ana-ct-chest",
        service_request_id="order-ana-ct-chest",
        accession="A260917001",
        started="2026-09-17T09:42:00-05:00",
        description="CT chest without contrast",
        anatomy="chest",
        body_part="CHEST",
        body_site=("51185008", "Thoracic structure"),
        modalities=("CT",),
        series=(
            _series(name, 1, "Chest soft tissue 1.5 mm", "CT", 200, (512, 512), "soft"),
            _series(name, 2, "Chest lung 1.5 mm", "CT", 200, (512, 512), "lung"),
            _series(name, 3, "Chest bone 1.5 mm", "CT", 200, (512, 512), "bone"),
        ),
        report=Report(
            id="rep-ana-ct-chest",
            status="final",
            issued="2026-09-17T15:10:00-05:00",
            title="CT chest without contrast",
            findings=(
                "The airways are open. There is a 5 mm rounded nodule in the right upper lobe. "
                "No other nodules. No fluid around the lungs. The heart is of normal size. "
                "The bones of the chest show no fracture."
            ),
            conclusion=(
                "A single 5 mm nodule in the right upper lobe, most likely harmless. A CT in 12 months is optional."
            ),
        ),
    )


def _ana_ct_head() -> Study:
    name = "st-elsewhere/ana/ct-head"
    return Study(
        uid=uid_for(name),
        imaging_study_id="img-ana-ct-head",
        service_request_id="order-ana-ct-head",
        accession="A261120004",
        started="2026-11-20T21:05:00-06:00",
        description="CT head without contrast",
        anatomy="head",
        body_part="HEAD",
        body_site=("69536005", "Head structure"),
        modalities=("CT",),
        series=(_series(name, 1, "Head 5 mm", "CT", 32, (512, 512), "soft"),),
        report=Report(
            id="rep-ana-ct-head",
            status="preliminary",
            issued="2026-11-20T21:50:00-06:00",
            title="CT head without contrast",
            findings="No bleeding. No shift of the midline. The ventricles are of normal size.",
            conclusion="No acute finding. This is a preliminary reading.",
        ),
    )


def _ana_xr_hand() -> Study:
    name = "st-elsewhere/ana/xr-hand"
    return Study(
        uid=uid_for(name),
        imaging_study_id="img-ana-xr-hand",
        service_request_id="order-ana-xr-hand",
        accession="A250302007",
        started="2025-03-02T11:20:00-06:00",
        description="X-ray left hand, 2 views",
        anatomy="hand",
        body_part="HAND",
        body_site=("85562004", "Hand structure"),
        modalities=("DX",),
        series=(_series(name, 1, "Hand PA and oblique", "DX", 2, (1024, 832)),),
        report=Report(
            id="rep-ana-xr-hand",
            status="amended",
            issued="2025-03-03T08:05:00-06:00",
            title="X-ray left hand",
            findings="No fracture. A small bone spur at the base of the thumb, added after a second reading.",
            conclusion="No fracture. Early wear at the base of the thumb.",
        ),
    )


def _ana_mr_brain() -> Study:
    name = "st-elsewhere/ana/mr-brain"
    return Study(
        uid=uid_for(name),
        imaging_study_id="img-ana-mr-brain",
        service_request_id="order-ana-mr-brain",
        accession="A230611002",
        started="2023-06-11T14:00:00-05:00",
        description="MR brain",
        anatomy="brain-mr",
        body_part="BRAIN",
        body_site=("12738006", "Brain structure"),
        modalities=("MR",),
        series=(
            _series(name, 1, "T1 axial", "MR", 24, (256, 256)),
            _series(name, 2, "T2 axial", "MR", 24, (256, 256)),
        ),
        report=Report(
            id="rep-ana-mr-brain",
            status="final",
            issued="2023-06-12T10:30:00-05:00",
            title="MR brain",
            findings="Normal signal of grey and white matter. No mass. Normal flow in the large vessels.",
            conclusion="Normal MR of the brain.",
        ),
    )


def _xray(
    hospital: str,
    person: str,
    anatomy: Anatomy,
    started: str,
    accession: str,
    what: tuple[str, str, str, str],
    report: Report | None = None,
) -> Study:
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
        series=(_series(name, 1, description, "DX", 1, (1024, 832)),),
        report=report,
    )


def _st_elsewhere() -> Hospital:
    mrn, old = "urn:oid:2.16.840.1.113883.19.5", "urn:oid:2.16.840.1.113883.19.4"
    knee = ("X-ray right knee", "KNEE", "72696002", "Knee region structure")
    hand = ("X-ray right hand", "HAND", "85562004", "Hand structure")
    ben_report = Report(
        "rep-ben-knee", "final", "2026-02-10T12:00:00-06:00", "X-ray right knee",
        "Normal joint space. No fracture.", "Normal knee.",
    )  # fmt: skip
    ana = Person(
        "ana", "Rivera", "Ana María", "1979-04-08", "female", ((mrn, "SE-1001"), (old, "OLD-77")),
        (
            _ana_ct_chest(), _ana_ct_head(), _ana_xr_hand(), _ana_mr_brain(),
            _xray("st-elsewhere", "ana", "knee", "2026-11-23T16:30:00-06:00", "A261123009", knee),
        ),
    )  # fmt: skip
    ben = Person(
        "ben", "Okafor", "Ben", "1990-12-01", "male", ((mrn, "SE-1002"),),
        (_xray("st-elsewhere", "ben", "knee", "2026-02-10T10:15:00-06:00", "A260210003", knee, ben_report),),
    )  # fmt: skip
    chloe = Person("chloe", "Lindqvist", "Chloe", "2001-07-19", "female", ((mrn, "SE-1003"),))
    eli = Person(
        "eli", "Novak", "Eli", "2017-05-30", "male", ((mrn, "SE-1004"),),
        (_xray("st-elsewhere", "eli", "hand", "2026-08-14T17:40:00-05:00", "A260814006", hand),),
    )  # fmt: skip
    users = (
        User("ana", "ana-sandbox", "patient", "Patient/ana", "Ana María Rivera", ("ana",)),
        User("ben", "ben-sandbox", "patient", "Patient/ben", "Ben Okafor", ("ben",)),
        User("chloe", "chloe-sandbox", "patient", "Patient/chloe", "Chloe Lindqvist", ("chloe",)),
        User("dana", "dana-sandbox", "representative", "RelatedPerson/dana-for-eli", "Dana Novak", ("eli",), ("eli",)),
        User(
            "dr-lee", "lee-sandbox", "clinician", "Practitioner/lee", "Dr. Morgan Lee", ("ana", "ben", "chloe", "eli")
        ),
    )
    return Hospital(
        "st-elsewhere", "St. Elsewhere Health", mrn, "ST-ELSEWHERE", "America/Chicago", (ana, ben, chloe, eli), users
    )


def _mercy() -> Hospital:
    mrn = "urn:oid:2.16.840.1.113883.19.77"
    knee = ("X-ray left knee", "KNEE", "72696002", "Knee region structure")
    report = Report(
        "rep-ana-m-knee", "final", "2022-01-21T12:00:00-05:00", "X-ray left knee",
        "No fracture. No fluid in the joint.", "Normal knee.",
    )  # fmt: skip
    ana = Person(
        "m-ana", "Rivera", "Ana M.", "1979-04-08", "female", ((mrn, "MH-5501"),),
        (_xray("mercy", "m-ana", "knee", "2022-01-21T09:00:00-05:00", "M220121001", knee, report),),
    )  # fmt: skip
    users = (User("ana", "ana-mercy", "patient", "Patient/m-ana", "Ana M. Rivera", ("m-ana",)),)
    return Hospital("mercy", "Mercy General Hospital", mrn, "MERCY", "America/New_York", (ana,), users)


def build_world() -> World:
    """The whole sample world, the same at every call."""
    return World((_st_elsewhere(), _mercy()))
