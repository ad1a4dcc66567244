"""Grants, as pages and other rooms use them. Each use-case is a file of its own."""

from datetime import datetime

from sqlalchemy.orm import Session

from smartapp.consent.grants.model import Grant, Terms
from smartapp.exchange.approvals.model import Asked
from smartapp.exchange.grants.desk import Desk
from smartapp.exchange.grants.granting import Granting
from smartapp.exchange.grants.holding import Holding
from smartapp.exchange.grants.launches import Launches
from smartapp.exchange.grants.looking import Looking
from smartapp.exchange.grants.model import (
    GrantView,
    LaunchContext,
    Offer,
    Preview,
    Receipt,
    TermsRefused,
    Totals,
    UsedStudy,
)
from smartapp.exchange.grants.receipt import Receipts
from smartapp.identity.apps.model import App
from smartapp.identity.model import PatientKey, Principal

__all__ = [
    "AppGrants",
    "GrantView",
    "LaunchContext",
    "Offer",
    "Preview",
    "Receipt",
    "TermsRefused",
    "Totals",
    "UsedStudy",
]


class AppGrants:
    """What patients let apps do. One per process; safe to share by threads.

    A principal reaches the grants over the record that they have open: NotFound for any other.
    """

    def __init__(self, desk: Desk) -> None:
        self._granting = Granting(desk)
        self._holding = Holding(desk)
        self._looking = Looking(desk)
        self._launches = Launches(desk)
        self._receipts = Receipts(desk)

    def offer(self, principal: Principal, asked: Asked) -> Offer:
        """What the person may grant of what an app asked. Raises NotFound, BadInput."""
        return self._granting.offer(principal, asked)

    def preview(self, principal: Principal, terms: Terms, *, client_id: str, request_id: str = "") -> Preview:
        """What terms reach today for the app."""
        return self._looking.preview(principal, terms, client_id=client_id, request_id=request_id)

    def approve(self, principal: Principal, handle: str, terms: Terms, *, session_id: str, request_id: str = "") -> str:
        """Yes: the app's redirect URI with a code. Raises TermsRefused, NotFound, BadInput (`consent.tamper`)."""
        return self._granting.approve(principal, handle, terms, session_id=session_id, request_id=request_id)

    def refuse(self, principal: Principal, handle: str, *, session_id: str, request_id: str = "") -> str:
        """No: the app's redirect URI with `access_denied`. Raises NotFound, BadInput (`consent.tamper`)."""
        return self._granting.refuse(principal, handle, session_id=session_id, request_id=request_id)

    def change(self, principal: Principal, grant_id: str, terms: Terms, *, request_id: str = "") -> None:
        """Narrows a grant. Raises TermsRefused, BadInput (`grant.over`)."""
        self._holding.change(principal, grant_id, terms, request_id=request_id)

    def pause(self, principal: Principal, grant_id: str, *, request_id: str = "") -> None:
        """Refuses the app from now on, for a while. Raises BadInput (`grant.over`)."""
        self._holding.pause(principal, grant_id, request_id=request_id)

    def resume(self, principal: Principal, grant_id: str, *, request_id: str = "") -> None:
        """Ends a pause. Raises AccessDenied for somebody else's grant, BadInput (`grant.over`)."""
        self._holding.resume(principal, grant_id, request_id=request_id)

    def wake(self, principal: Principal, grant_id: str, *, request_id: str = "") -> None:
        """Ends a rest. Raises AccessDenied for somebody else's grant, BadInput (`grant.over`)."""
        self._holding.wake(principal, grant_id, request_id=request_id)

    def end(self, principal: Principal, grant_id: str, *, request_id: str = "") -> None:
        """Ends a grant for ever, from this moment."""
        self._holding.end(principal, grant_id, request_id=request_id)

    def list(self, principal: Principal) -> tuple[GrantView, ...]:
        """All grants over the open record, newest first."""
        return self._looking.list(principal)

    def view(self, principal: Principal, grant_id: str, *, request_id: str = "") -> GrantView:
        """One grant with all that is known of it."""
        return self._looking.view(principal, grant_id, request_id=request_id)

    def receipt(self, principal: Principal, grant_id: str, *, language: str = "en") -> Receipt:
        """The consent receipt of a grant, in a language of ours."""
        return self._receipts.receipt(principal, grant_id, language)

    def reminder(self, principal: Principal, grant_id: str, at: datetime, *, summary: str, description: str) -> bytes:
        """A calendar file (`text/calendar`) that reminds of looking at a grant. The words say nothing of health."""
        return self._receipts.reminder(principal, grant_id, at, summary, description)

    def launch_value(
        self, principal: Principal, app: App, study_uid: str | None = None, *, request_id: str = ""
    ) -> str:
        """The opaque `launch` of an EHR launch of `app`, single-use. Raises NotFound."""
        return self._launches.launch_value(principal, app, study_uid, request_id=request_id)

    def take_launch(self, value: str, client_id: str) -> LaunchContext | None:
        """What a `launch` stands for, once, for the app that it was made for."""
        return self._launches.take_launch(value, client_id)

    def needs_sign_in(self, grant_id: str, request_id: str = "") -> None:
        """The EHR takes the grant's credential no longer: held until its person signs in again."""
        self._holding.needs_sign_in(grant_id, request_id)

    def tokens_stopped(self, session: Session, grant: Grant) -> None:
        """Within the write that stops an app because one of its tokens was used twice: its person is told."""
        self._holding.tokens_stopped(session, grant)

    def freeze(self, patient: PatientKey, request_id: str = "") -> None:
        """The record was merged into another: held until the patient allows it anew."""
        self._holding.freeze(patient, request_id)

    def signed_in(
        self, session: Session, person_id: str, patient: PatientKey, credential_id: str, *, lasting: bool
    ) -> tuple[Grant, ...]:
        """Within a sign-in's write: grants that waited for it go on. Gives them as they were before."""
        return self._holding.signed_in(session, person_id, patient, credential_id, lasting=lasting)

    def session_ended(self, session: Session, session_id: str) -> None:
        """Within the write that ends a browser session: what ends with it."""
        self._holding.session_ended(session, session_id)
