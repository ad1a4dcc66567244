"""A grant: what a patient said to an app (decision 10). Pure."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Literal, Self

from smartapp.consent.scopes.model import Scopes
from smartapp.identity.model import PatientKey, PrincipalKind

Images = Literal["full", "deidentified", "none"]


class GrantState(StrEnum):
    """Where a grant stands. Tokens under it: served, refused for now (403, refresh works), or dead (401)."""

    ACTIVE = "active"
    """Served."""
    PAUSED = "paused"
    """The patient said: not now. 403 with the reason; refresh works."""
    DORMANT = "dormant"
    """Unused for 90 days; one press wakes it. As paused."""
    NEEDS_SIGN_IN = "needs-sign-in"
    """Its way to the EHR is dead until the patient signs in again. 403 with an OperationOutcome `login`."""
    FROZEN = "frozen"
    """The patient's record was merged into another: held until the patient allows it anew. As paused."""
    ENDED = "ended"
    """The patient, or a replay, ended it. 401 and `invalid_grant`, for ever."""
    EXPIRED = "expired"
    """Its time is over. As ended. Read from `expires_at`: nobody has to write it down first."""
    SUSPENDED = "suspended"
    """The operator suspended the app. As ended, until the suspension is lifted."""


LIVING = frozenset(
    {GrantState.ACTIVE, GrantState.PAUSED, GrantState.DORMANT, GrantState.NEEDS_SIGN_IN, GrantState.FROZEN}
)
"""In these, tokens are known and can be refreshed."""


@dataclass(frozen=True)
class Terms:
    """What a version of a grant allows: a study counts when it passes every line of it.

    `scopes` are those ticked. `chosen` are Study Instance UIDs, or None for all studies; where `future` is no, they are
    the studies that were there at approval. Empty `modalities` (DICOM codes) and `body_sites` (codes as `StudyFacts`
    has them) mean any. The dates are the hospital's, both inclusive. `deidentified` speaks of images only. `purpose` is
    an HL7 v3 PurposeOfUse code. `expires_at` (UTC) None: until it is ended.
    """

    scopes: Scopes
    chosen: frozenset[str] | None = None
    modalities: frozenset[str] = frozenset()
    body_sites: frozenset[str] = frozenset()
    started_from: date | None = None
    started_to: date | None = None
    reports: bool = True
    images: Images = "full"
    future: bool = True
    purpose: str = "PATRQT"
    expires_at: datetime | None = None
    sensitive: frozenset[str] = frozenset()
    """Study Instance UIDs with a security label that were ticked by themselves; others with one stay withheld."""
    masked: bool = False
    """Images were de-identified and then taken away: whose they are stays hidden, or less would show more."""

    @property
    def hides_identity(self) -> bool:
        """Whether UIDs are aliases, and what names the patient is left out of what is listed of a study."""
        return self.images == "deidentified" or self.masked

    def without(self, uids: frozenset[str]) -> Self:
        """The same, with none of these studies ticked."""
        chosen = self.chosen - uids if self.chosen is not None else None
        return replace(self, chosen=chosen, sensitive=self.sensitive - uids)


@dataclass(frozen=True)
class Grant:
    """One per (app, patient, who granted); each approval or change is a new version.

    `granted_by` says in which role, `person_id` who. `session_id` is set where the grant ends with that browser
    session (there is no lasting way to the EHR, or only `online_access` was asked). `credential_id` is its way there.
    """

    id: str
    provider: str
    client_id: str
    patient: PatientKey
    person_id: str
    granted_by: PrincipalKind
    version: int
    state: GrantState
    terms: Terms = field(repr=False)
    credential_id: str = field(repr=False)
    fhir_user: str = field(repr=False)
    session_id: str | None
    approved_at: datetime
    changed_at: datetime
    last_used_at: datetime | None = None

    @property
    def expires_at(self) -> datetime | None:
        """When it ends by itself (UTC)."""
        return self.terms.expires_at

    def state_at(self, now: datetime) -> GrantState:
        """Its state with the clock taken into account."""
        over = self.terms.expires_at is not None and now >= self.terms.expires_at
        return GrantState.EXPIRED if over and self.state in LIVING else self.state


@dataclass(frozen=True)
class GrantEvent:
    """One line of a grant's history. `kind`: approved, changed, paused, resumed, dormant, woken, needs-sign-in,
    signed-in, frozen, ended, expired, suspended, reinstated, tokens-stopped (one of its tokens was used twice, as after
    a theft: all of that line count no more). `by`: patient, representative, app, operator, us.
    """

    grant_id: str
    at: datetime
    kind: str
    by: str
    version: int
    terms: Terms | None = field(default=None, repr=False)
