"""The question, the answer, and the proof that it was answered. Pure: no Flask, SQL, HTTP, settings or clock calls."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from smartapp.consent.facts import SeriesFacts, StudyFacts
from smartapp.consent.principal import AppPrincipal
from smartapp.consent.reach import Reach
from smartapp.errors import AccessDenied, Reason
from smartapp.identity.model import PatientKey, Principal

__all__ = [
    "LETTER",
    "SEAL",
    "Action",
    "AnyPermit",
    "AppPrincipal",
    "Decision",
    "Extent",
    "IndexPermit",
    "Permit",
    "Purpose",
    "Question",
    "SeriesFacts",
    "SignInPermit",
    "StudyFacts",
]


class Action(StrEnum):
    """What somebody wants to do."""

    READ = "read"
    """Learn of one study that is named what a list would say of it."""
    LIST = "list"
    """Learn which studies and reports exist, with their dates, kinds and body parts."""
    LIST_REPORTS = "list-reports"
    """Learn which studies have reports, so as to be told of these. People learn it with the list."""
    INDEX = "index"
    """Have the EHR and the PACS asked which studies there are. It shows nothing by itself."""
    READ_PERSON = "read-person"
    """Learn who the patient is, and what is on record of the grant that is asked under. No study is behind it."""
    READ_REPORT = "read-report"
    """Read the radiologist's report of a study, and what is attached to it."""
    VIEW_IMAGES = "view-images"
    """See a study's pictures and the data that describes them, or receive its DICOM objects."""


LETTER: Final = {
    Action.READ: "r",
    Action.LIST: "s",
    Action.LIST_REPORTS: "s",
    Action.READ_PERSON: "r",
    Action.INDEX: "s",
    Action.READ_REPORT: "r",
    Action.VIEW_IMAGES: "r",
}
"""Each action as an interaction of scopes (SMART App Launch 2.2)."""


class Purpose(StrEnum):
    """HL7 v3 PurposeOfUse."""

    PATRQT = "PATRQT"
    FAMRQT = "FAMRQT"
    TREAT = "TREAT"
    COC = "COC"
    HRESCH = "HRESCH"
    HPAYMT = "HPAYMT"
    HOPERAT = "HOPERAT"
    PUBHLTH = "PUBHLTH"


class Extent(StrEnum):
    """The largest amount that a disclosure may come to; ordered from least to most."""

    SUMMARY = "summary"
    REPORT = "report"
    IMAGES = "images"


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
class ConsentPermit(_Sealed):
    """Lets a grant's own Consent be written to the EHR of its patient, by a job, and nothing be read but that."""

    patient: PatientKey
    credential_id: str
    grant_id: str

    @property
    def provider(self) -> str:
        """The hospital whose EHR is written to."""
        return self.patient.provider


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
    behind it stands. `reach` narrows it further, within a study, for an app; None does not.
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
    reach: Reach | None = None

    @property
    def provider(self) -> str:
        """The hospital whose EHR and PACS may be asked."""
        return self.patient.provider

    @property
    def credential_id(self) -> str:
        """The EHR credential to ask with."""
        return self.principal.credential_id

    @property
    def letter(self) -> str:
        """The interaction as scopes have it: `s` where it searches, `r` where it reads."""
        return LETTER[self.action]

    def shows_series(self, facts: StudyFacts, series: SeriesFacts) -> bool:
        """Whether it reaches this series of a study that it reaches."""
        return self.reach is None or self.reach.series(facts, series, self.letter)

    def check(self) -> None:
        """Raises PermitEnded when the right ended: signed out, revoked, or past its end."""
        self.still_held()

    def require(self, study_uid: str) -> None:
        """Raises AccessDenied unless the permit reaches this study."""
        if study_uid not in self.studies:
            raise AccessDenied(Reason("study-not-permitted", "permit"))


AnyPermit = Permit | IndexPermit | SignInPermit | ConsentPermit
