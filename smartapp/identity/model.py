"""Who asks, and about whom. Pure."""

from dataclasses import dataclass, field
from datetime import date, datetime
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
    APP = "app"
    """An app that other people wrote, under a grant."""


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


@dataclass(frozen=True)
class Display:
    """What pages say of a context: who acts, and whose record it is. Personal data, sealed where it is stored."""

    person_name: str
    record_name: str
    record_birth_date: date | None = None


@dataclass(frozen=True)
class Context:
    """One patient's record, open in a browser session.

    `fhir_user` is the acting person's FHIR reference at the hospital. `relation` says what a representative is to the
    patient (empty for the patient); `expires_at` (UTC) is where the right ends before the session does; `auth_time`
    (UTC) when the hospital says that the person proved who they are, if it says so.
    """

    context_id: str
    kind: PrincipalKind
    patient: PatientKey
    credential_id: str
    fhir_user: str
    display: Display
    relation: str = ""
    expires_at: datetime | None = None
    auth_time: datetime | None = None


@dataclass(frozen=True)
class BrowserSession:
    """A live session and the records open in it. The times are UTC; after the earlier of the two it is over."""

    session_id: str
    person_id: str
    contexts: tuple[Context, ...]
    created_at: datetime
    idle_until: datetime
    absolute_until: datetime


@dataclass(frozen=True)
class OpenedSession:
    """A session that was just opened. `cookie` is its secret, handed out once and kept nowhere.

    `replaced_credentials` are the EHR credentials of the session that ended for it; `agent` is what the browser is, as
    far as a person recognises it.
    """

    cookie: str = field(repr=False)
    session_id: str
    context_id: str
    replaced_credentials: tuple[str, ...] = ()
    person_id: str = ""
    agent: str = ""
    replaced_session: str = ""
    """The id of the session that ended for it, in the same browser; empty when there was none."""
    after: str = field(default="", repr=False)
    """What waited for this sign-in: a handle of a request that an app made. Empty: nothing."""


@dataclass(frozen=True)
class SessionSummary:
    """A session as its person sees it in a list. `agent` is the browser's family and system, nothing finer."""

    session_id: str
    created_at: datetime
    last_seen: datetime
    agent: str
    is_current: bool
