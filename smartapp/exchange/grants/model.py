"""What pages show of apps and grants. Pure."""

from dataclasses import dataclass, field
from datetime import datetime

from smartapp.consent.grants.model import Grant, GrantEvent, GrantState, Terms
from smartapp.consent.scopes.model import Scopes
from smartapp.errors import BadInput
from smartapp.identity.apps.model import App
from smartapp.identity.model import PatientKey, Principal
from smartapp.records.model import StudySummary


class TermsRefused(BadInput):
    """What was ticked cannot be granted; `code` says why, for the page.

    `grant.nothing` (no scope is left), `grant.studies` (none chosen, or one that is not there), `grant.nothing-now` (no
    study matches today, and future ones were not wanted), `grant.dates`, `grant.images`, `grant.purpose`,
    `grant.expires`; for a change `grant.widens`.
    """


@dataclass(frozen=True)
class Offer:
    """What the approval page offers: the app, and the scopes that it asked for and may ask for.

    `works_offline`: what is granted now goes on after the person signs out; `by_hospital`: not by a credential of the
    person's own, but because the hospital trusts us as a backend service. `needs_lasting`: before the page is shown
    the browser has to go through the EHR once more (`Approvals.note_offline_tried`, then `SignIn.start_standalone` with
    `lasting`). `already` is the grant that a yes would replace by a new version. `right_ends` (UTC) is where the right
    of a representative ends, and with it whatever they grant.
    """

    app: App
    scopes: Scopes
    works_offline: bool
    needs_lasting: bool
    already: Grant | None
    right_ends: datetime | None = None
    by_hospital: bool = False


@dataclass(frozen=True)
class Kept:
    """What Consents on file at the hospital keep from the app, of what terms reach: so many studies and reports, or
    everything. `unread`: they cannot be read now, and until they can apps get nothing.
    """

    studies: int = 0
    reports: int = 0
    everything: bool = False
    unread: bool = False

    def __bool__(self) -> bool:
        return self != Kept()


@dataclass(frozen=True)
class Preview:
    """What terms reach today, without what Consents on file keep (`kept`). `withheld_sensitive` counts studies that
    would match and have a security label: they stay out unless ticked by themselves. `unshowable` counts those of which
    no picture may be shown de-identified: they stay out too. With `problems` (codes as in `StudyList`) there may be
    more than is shown, or, with `pictures-unread`, fewer.
    """

    studies: tuple[StudySummary, ...]
    reports: int
    withheld_sensitive: int
    unshowable: int = 0
    problems: tuple[str, ...] = ()
    kept: Kept = Kept()


@dataclass(frozen=True)
class Totals:
    """What an app was given so far: images (instances) and bytes; `last_at` (UTC) None: nothing ever."""

    images: int = 0
    bytes: int = 0
    last_at: datetime | None = None


@dataclass(frozen=True)
class UsedStudy:
    """What an app was given of one study. `study` None: one that the record no longer lists.

    `extent` is the most that it looked at (`summary`, `report`, `images`); times are UTC.
    """

    study: StudySummary | None
    extent: str
    images: int
    bytes: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class GrantView:
    """A grant as its page shows it. `state` is its state now; `app` None where nobody knows the app any more.

    `mine`: the person who looks at it is the one who granted it. `used` and `looked_at_list` (when the app last read
    the list of studies) are filled in for one grant's own page only; `totals` always.
    """

    grant: Grant
    app: App | None
    state: GrantState
    terms: Terms = field(repr=False)
    history: tuple[GrantEvent, ...]
    mine: bool
    totals: Totals
    used: tuple[UsedStudy, ...] = ()
    looked_at_list: datetime | None = None
    kept: Kept = Kept()
    """For one grant's own page, as `used`."""


@dataclass(frozen=True)
class Receipt:
    """A consent receipt to keep, as JSON and as PDF."""

    json: bytes = field(repr=False)
    pdf: bytes = field(repr=False)


@dataclass(frozen=True)
class LaunchContext:
    """What a launch of an app from our own pages stands for: this person, this patient, and perhaps a study.

    `bound` goes into `Asked.launch`: the request is then answered for this person and patient only.
    """

    patient: PatientKey
    bound: str = field(repr=False)
    fhir_context: tuple[str, ...] = ()


def bound_to(principal: Principal) -> str:
    """What a launch by this principal is bound to; it stays the same when the person signs in again."""
    return f"{principal.patient}\x1f{principal.person_id}"
