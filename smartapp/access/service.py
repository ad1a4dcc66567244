"""Every way to a permit. Each writes down what it allows before it allows it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from smartapp.audit.model import EXTENTS, Event
from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.consent.mint import mint, mint_index, mint_sign_in
from smartapp.consent.model import (
    Action,
    Decision,
    Extent,
    IndexPermit,
    Permit,
    Purpose,
    Question,
    SignInPermit,
    StudyFacts,
)
from smartapp.errors import AccessDenied, PermitEnded
from smartapp.identity.model import PatientKey, Principal, PrincipalKind
from smartapp.identity.service import Identity

_PURPOSES: Final = {PrincipalKind.PATIENT: Purpose.PATRQT, PrincipalKind.REPRESENTATIVE: Purpose.FAMRQT}
"""Why each kind asks. Others have no rule yet: their question is put all the same, to be refused and written down."""

_LEAST: Final = {
    Action.LIST: Extent.SUMMARY,
    Action.READ_REPORT: Extent.REPORT,
    Action.VIEW_IMAGES: Extent.IMAGES,
}
"""What each action lets its permit reach, whatever its caller means to send."""


class Access:
    """Puts the question, and hands out what the answer allows. One per process; safe to share by threads.

    Every method raises AuditUnavailable when the trail cannot be written: then there is no permit.
    """

    def __init__(
        self, policy: Callable[[Question], Decision], audit: AuditTrail, identity: Identity, clock: Clock
    ) -> None:
        self._policy = policy
        self._audit = audit
        self._identity = identity
        self._clock = clock

    def sign_in(self, provider: str, patient_id: str, credential_id: str, request_id: str) -> SignInPermit:
        """The permit to read the Patient that the EHR's token answer named, before there is a principal."""
        patient = PatientKey(provider, patient_id)
        self._audit.record(Event("access.sign-in", patient=patient, request_id=request_id))
        return mint_sign_in(provider, patient_id, credential_id)

    def index(self, principal: Principal, request_id: str) -> IndexPermit:
        """The permit to refresh the index of the principal's own context: once per refresh, and so recorded.

        Raises AccessDenied, PermitEnded.
        """
        self._allowed(self._question(principal, Action.LIST, ()), request_id)
        self._audit.record(
            Event(
                "access.index",
                patient=principal.patient,
                principal_ref=principal.person_id,
                session_ref=principal.session_id,
                request_id=request_id,
            )
        )
        return mint_index(principal.patient, principal.credential_id)

    def permit(
        self,
        principal: Principal,
        action: Action,
        studies: Sequence[StudyFacts],
        *,
        extent: Extent,
        request_id: str,
    ) -> Permit:
        """The permit for `action` on those of `studies` that are visible; its intent is committed before it exists.

        `extent` is the most that may be sent; it counts as at least what the action reaches. One study opens a
        disclosure of its own, several or none one of the record. Raises AccessDenied (written down first) with the
        reasons, PermitEnded when the session is over.
        """
        question = self._question(principal, action, studies)
        decision = self._allowed(question, request_id)
        disclosure_id = self._audit.open_disclosure(
            principal,
            question.patient,
            question.studies[0].uid if len(question.studies) == 1 else None,
            extent=max(extent, _LEAST[action], key=EXTENTS.index),
            authority=principal.kind.value,
            action=action.value,
            purpose=question.purpose.value,
            request_id=request_id,
        )
        return mint(
            question,
            decision,
            disclosure_id=disclosure_id,
            expires_at=principal.expires_at,
            still_held=self._still_held(principal.session_id, principal.expires_at),
        )

    def _question(self, principal: Principal, action: Action, studies: Sequence[StudyFacts]) -> Question:
        return Question(
            principal=principal,
            patient=principal.patient,
            action=action,
            purpose=_PURPOSES.get(principal.kind, Purpose.PATRQT),
            at=self._clock.now(),
            studies=tuple(studies),
        )

    def _allowed(self, question: Question, request_id: str) -> Decision:
        self._still_held(question.principal.session_id, question.principal.expires_at)()
        decision = self._policy(question)
        if not decision.allowed:
            self._audit.denied(question, decision, request_id)
            raise AccessDenied(*decision.reasons)
        return decision

    def _still_held(self, session_id: str, expires_at: datetime) -> Callable[[], None]:
        """Reads the session anew at each call, so that a sign-out anywhere ends a stream at its next check."""

        def check() -> None:
            if self._clock.now() >= expires_at:
                raise PermitEnded
            self._identity.require_live(session_id)

        return check
