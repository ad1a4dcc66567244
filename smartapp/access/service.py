"""Every way to a permit. Each writes down what it allows before it allows it."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from smartapp.audit.model import EXTENTS, Event
from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.consent.mint import mint, mint_consent, mint_index, mint_sign_in
from smartapp.consent.model import (
    Action,
    AppPrincipal,
    ConsentPermit,
    Decision,
    Extent,
    IndexPermit,
    Permit,
    Purpose,
    Question,
    SignInPermit,
    StudyFacts,
)
from smartapp.consent.policy import INSUFFICIENT_SCOPE, no_such_study
from smartapp.errors import AccessDenied, NotFound, PermitEnded, ScopeMissing
from smartapp.identity.model import PatientKey, Principal, PrincipalKind
from smartapp.identity.service import Identity

_PURPOSES: Final = {PrincipalKind.PATIENT: Purpose.PATRQT, PrincipalKind.REPRESENTATIVE: Purpose.FAMRQT}
"""Why each kind asks. Others have no rule yet: their question is put all the same, to be refused and written down."""

_LEAST: Final = {
    Action.READ: Extent.SUMMARY,
    Action.LIST: Extent.SUMMARY,
    Action.LIST_REPORTS: Extent.SUMMARY,
    Action.INDEX: Extent.SUMMARY,
    Action.READ_PERSON: Extent.SUMMARY,
    Action.READ_REPORT: Extent.REPORT,
    Action.VIEW_IMAGES: Extent.IMAGES,
}
"""What each action lets its permit reach, whatever its caller means to send."""


class AppLiveness(Protocol):
    """Who keeps the tokens and grants of apps (`tokens.apps`)."""

    def require_live(self, principal: AppPrincipal) -> None:
        """Reads token and grant anew. PermitEnded when either ended, stands still, or has other terms now."""
        ...


class Access:
    """Puts the question, and hands out what the answer allows. One per process; safe to share by threads.

    Every method raises AuditUnavailable when the trail cannot be written: then there is no permit. Without `apps` no
    app is ever live.
    """

    def __init__(
        self,
        policy: Callable[[Question], Decision],
        audit: AuditTrail,
        identity: Identity,
        clock: Clock,
        apps: AppLiveness | None = None,
    ) -> None:
        self._policy = policy
        self._audit = audit
        self._identity = identity
        self._clock = clock
        self._apps = apps

    def sign_in(self, provider: str, patient_id: str, credential_id: str, request_id: str) -> SignInPermit:
        """The permit to read the Patient that the EHR's token answer named, before there is a principal."""
        patient = PatientKey(provider, patient_id)
        self._audit.record(Event("access.sign-in", patient=patient, request_id=request_id))
        return mint_sign_in(provider, patient_id, credential_id)

    def consent(self, patient: PatientKey, credential_id: str, grant_id: str) -> ConsentPermit:
        """The permit to write the Consent of what a patient allowed, by a job: it tells the EHR the patient's own word,
        and shows nobody anything.
        """
        self._audit.record(Event("access.consent", patient=patient, session_ref=grant_id, detail={"grant": grant_id}))
        return mint_consent(patient, credential_id, grant_id)

    def index(self, principal: Principal, request_id: str) -> IndexPermit:
        """The permit to refresh the index of the principal's own context: once per refresh, and so recorded.

        Raises AccessDenied, PermitEnded.
        """
        self._allowed(self._question(principal, Action.INDEX, ()), request_id)
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
        reasons, PermitEnded when the session or the grant is over. For an app, ScopeMissing when its token lacks the
        kind of right, and NotFound when none of the studies is one that it may know of.
        """
        question = self._question(principal, action, studies)
        decision = self._allowed(question, request_id)
        disclosure_id = self._audit.open_disclosure(
            principal,
            question.patient,
            question.studies[0].uid if len(question.studies) == 1 else None,
            extent=max(extent, _LEAST[action], key=EXTENTS.index),
            authority=_authority(principal),
            action=action.value,
            purpose=question.purpose.value,
            request_id=request_id,
            token_ref=principal.token_ref if isinstance(principal, AppPrincipal) else "",
        )
        return mint(
            question,
            decision,
            disclosure_id=disclosure_id,
            expires_at=principal.expires_at,
            still_held=self._still_held(principal),
        )

    def _question(self, principal: Principal, action: Action, studies: Sequence[StudyFacts]) -> Question:
        return Question(
            principal=principal,
            patient=principal.patient,
            action=action,
            purpose=_purpose(principal),
            at=self._clock.now(),
            studies=tuple(studies),
        )

    def _allowed(self, question: Question, request_id: str) -> Decision:
        self._still_held(question.principal)()
        decision = self._policy(question)
        if not decision.allowed:
            self._audit.denied(question, decision, request_id)
            raise _refusal(question, decision)
        return decision

    def _still_held(self, principal: Principal) -> Callable[[], None]:
        """Reads the session, or token and grant, anew at each call: what ends anywhere ends a stream at its next
        check.
        """

        def check() -> None:
            if self._clock.now() >= principal.expires_at:
                self._note_end(principal)
                raise PermitEnded
            self._require_live(principal)

        return check

    def _note_end(self, principal: Principal) -> None:
        """A representative's right ends by itself: at the patient's majority, or with their session (threat A30)."""
        if principal.kind is PrincipalKind.REPRESENTATIVE:
            event = Event(
                "proxy.expired",
                patient=principal.patient,
                principal_ref=principal.person_id,
                session_ref=principal.session_id,
            )
            self._audit.note(event)

    def _require_live(self, principal: Principal) -> None:
        if principal.kind is not PrincipalKind.APP:
            self._identity.require_live(principal.session_id)
        elif self._apps is None or not isinstance(principal, AppPrincipal):
            raise PermitEnded
        else:
            self._apps.require_live(principal)


def _purpose(principal: Principal) -> Purpose:
    """Why it is asked. An app asks for what it was allowed for; a purpose that is none meets no rule."""
    if isinstance(principal, AppPrincipal):
        return next((one for one in Purpose if one.value == principal.terms.purpose), Purpose.PATRQT)
    return _PURPOSES.get(principal.kind, Purpose.PATRQT)


def _authority(principal: Principal) -> str:
    """On what the disclosure rests: a person's own right, or what was granted to an app, and to which."""
    return f"grant {principal.client_id}" if isinstance(principal, AppPrincipal) else principal.kind.value


def _refusal(question: Question, decision: Decision) -> AccessDenied | NotFound:
    """To an app, what lies outside its grant is not there (decision 12)."""
    if isinstance(question.principal, AppPrincipal):
        if decision.reasons[0].code == INSUFFICIENT_SCOPE:
            return ScopeMissing(question.action.value)
        if no_such_study(decision):
            return NotFound()
    return AccessDenied(*decision.reasons)
