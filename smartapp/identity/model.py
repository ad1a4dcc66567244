"""Who asks, and about whom. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True)
class PatientKey:
    """A patient at one hospital: the provider's id and the FHIR logical id there. Every other key begins with it."""

    provider: str
    patient_id: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.patient_id}"


class PrincipalKind(StrEnum):
    """What somebody is to the record that is asked about."""

    PATIENT = "patient"
    REPRESENTATIVE = "representative"
    CLINICIAN = "clinician"


@dataclass(frozen=True)
class Principal:
    """Somebody who asks: a person, in one browser session, in the context of one patient's record.

    `context_id` names the pair (session, patient) and stands in every page's address; `credential_id` the EHR's token
    for it. `expires_at` is the end of the right to act (the session's, or earlier), UTC.
    """

    kind: PrincipalKind
    person_id: str
    session_id: str
    context_id: str
    patient: PatientKey
    credential_id: str
    expires_at: datetime
