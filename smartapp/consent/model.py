"""The question, the answer, and the proof that it was answered. Pure: no Flask, SQL, HTTP, settings or clock calls."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from smartapp.errors import AccessDenied, Reason
from smartapp.identity.model import PatientKey, Principal


class Action(StrEnum):
    """What somebody wants to do."""

    LIST = "list"
    """Learn which studies and reports exist, with their dates, kinds and body parts."""
    READ_REPORT = "read-report"
    """Read the radiologist's report of a study, and what is attached to it."""
    VIEW_IMAGES = "view-images"
    """See a study's pictures and the data that describes them, or receive its DICOM objects."""


class Purpose(StrEnum):
    """HL7 v3 PurposeOfUse."""

    PATRQT = "PATRQT"
    FAMRQT = "FAMRQT"


class Extent(StrEnum):
    """The largest amount that a disclosure may come to; ordered from least to most."""

    SUMMARY = "summary"
    REPORT = "report"
    IMAGES = "images"


@dataclass(frozen=True)
class StudyFacts:
    """What is known of one study when the question is put.

    `owners` are the patients that the sources name for it (the EHR by subject, the PACS by PatientID matched to an
    identifier); empty when no source names one that we know. `started` is the date at the hospital.
    """

    uid: str
    owners: frozenset[PatientKey]
    started: date | None
    modalities: frozenset[str]
    body_sites: frozenset[str]
    contradicted: bool = False
    """True when a source says the study is somebody else's (a foreign PatientID, another subject)."""
    labels: frozenset[str] = frozenset()
    """The EHR's security labels of the study and its reports, as `system|code`. They hide nothing from the patient."""


@dataclass(frozen=True)
class Question:
    """May `principal` do `action` to `studies` of `patient` for `purpose`? `at` is the moment of asking (UTC)."""

    principal: Principal
    patient: PatientKey
    action: Action
    purpose: Purpose
    at: datetime
    studies: tuple[StudyFacts, ...] = ()


@dataclass(frozen=True)
class Decision:
    """The answer: which of the studies asked about are visible, and why. `allowed` is the answer as a whole."""

    allowed: bool
    visible: frozenset[str]
    reasons: tuple[Reason, ...]


class _Seal:
    """Held by `consent.mint` alone; without it no permit can be made."""


SEAL: Final = _Seal()


@dataclass(frozen=True, kw_only=True)
class _Sealed:
    seal: _Seal

    def __post_init__(self) -> None:
        if self.seal is not SEAL:
            raise TypeError("permits are made by consent.mint only")


@dataclass(frozen=True, kw_only=True)
class SignInPermit(_Sealed):
    """Lets a sign-in read the Patient (and fhirUser) that the EHR named, before there is a principal."""

    provider: str
    patient_id: str
    credential_id: str


@dataclass(frozen=True, kw_only=True)
class IndexPermit(_Sealed):
    """Lets the study index ask EHR and PACS which studies and reports a patient has; it shows nothing by itself."""

    patient: PatientKey
    credential_id: str

    @property
    def provider(self) -> str:
        """The hospital whose EHR and PACS may be asked."""
        return self.patient.provider


@dataclass(frozen=True, kw_only=True)
class Permit(_Sealed):
    """Proof, in memory, that a decision was made and recorded.

    It reaches `studies` (Study Instance UIDs) of `patient`, for `action` and `purpose`, until `expires_at` (UTC);
    `disclosure_id` is the open disclosure that covers it. `still_held` re-reads, at every call, whether the right
    behind it stands.
    """

    principal: Principal
    patient: PatientKey
    action: Action
    purpose: Purpose
    studies: frozenset[str]
    reasons: tuple[Reason, ...]
    disclosure_id: str
    expires_at: datetime
    still_held: Callable[[], None]

    @property
    def provider(self) -> str:
        """The hospital whose EHR and PACS may be asked."""
        return self.patient.provider

    @property
    def credential_id(self) -> str:
        """The EHR credential to ask with."""
        return self.principal.credential_id

    def check(self) -> None:
        """Raises PermitEnded when the right ended: signed out, revoked, or past its end."""
        self.still_held()

    def require(self, study_uid: str) -> None:
        """Raises AccessDenied unless the permit reaches this study."""
        if study_uid not in self.studies:
            raise AccessDenied(Reason("study-not-permitted", "permit"))


AnyPermit = Permit | IndexPermit | SignInPermit
