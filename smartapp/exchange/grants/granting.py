"""An app asked; a person says yes or no."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from smartapp.consent.aliases import study_id
from smartapp.consent.grants.model import Grant, GrantState, Terms
from smartapp.consent.model import StudyFacts
from smartapp.consent.reach import Reach
from smartapp.consent.scopes.algebra import intersect
from smartapp.consent.scopes.grammar import parse, text
from smartapp.consent.scopes.statement import statement
from smartapp.errors import BadInput, NotFound
from smartapp.exchange.approvals.service import TAMPER, Asked, answer_url
from smartapp.exchange.grants.desk import Desk
from smartapp.exchange.grants.kept import without_kept
from smartapp.exchange.grants.model import Offer, TermsRefused, bound_to
from smartapp.exchange.grants.terms import Ground, checked, itself, matching
from smartapp.identity.apps.model import App, AppState
from smartapp.identity.model import Context, Principal, PrincipalKind
from smartapp.ids import new_id
from smartapp.tokens.apps.model import CodeFacts

_OFFLINE: Final = "offline_access"
_ONLINE: Final = "online_access"
_STUDY: Final = "launch/imagingstudy"


@dataclass(frozen=True)
class _Yes:
    """What was said yes to."""

    principal: Principal
    handle: str
    terms: Terms
    studies: tuple[StudyFacts, ...]
    ticked: frozenset[str]
    """The studies that were chosen one by one."""
    lasting: str | None
    """The credential of the person's own that outlives the session, if there is one."""
    may_stand: bool
    """Whether the grant may stand on backend services where there is none."""
    now: datetime
    request_id: str


class Granting:
    """The use-case: what an app asks, what a person may answer, and the answer."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def offer(self, principal: Principal, asked: Asked) -> Offer:
        """What the person may grant. NotFound for a request at another hospital than the open record's, or of an app
        that may not ask any more; BadInput (`launch.other`) when it began in somebody else's launch.
        """
        app = self._app(asked)
        if principal.patient.provider != asked.provider:
            raise NotFound
        if asked.launch and asked.launch != bound_to(principal):
            raise BadInput("launch.other")
        desk = self._desk
        scopes = intersect(parse(asked.scope), parse(app.scope))
        with desk.database.read() as session:
            already = desk.grants.living(
                session, asked.provider, asked.client_id, principal.patient, principal.person_id
            )
            context = desk.identity.context(session, principal.session_id, principal.context_id)
        lasting = _OFFLINE in scopes.words and self._lasting(principal, already) is not None
        by_hospital = _OFFLINE in scopes.words and not lasting and self._may_stand(principal)
        return Offer(
            app=app,
            scopes=scopes,
            works_offline=lasting or by_hospital,
            by_hospital=by_hospital,
            needs_lasting=_OFFLINE in scopes.words and not lasting and not asked.offline_tried,
            already=already,
            right_ends=context.expires_at,
        )

    def approve(self, principal: Principal, handle: str, terms: Terms, *, session_id: str, request_id: str) -> str:
        """Yes, to what is ticked in `terms`: the app's redirect URI with a code.

        Grant, audit, Consent to be written and code are there together, or none of them. Raises TermsRefused for what
        cannot be granted (the request still waits then), NotFound and BadInput (`consent.tamper`, written down) for a
        request that does not wait in this session.
        """
        desk = self._desk
        desk.approvals.bind(handle, session_id)
        asked = desk.approvals.open(handle)
        offer = self.offer(principal, asked)
        now = desk.clock.now()
        studies = desk.records.known(principal, request_id, Reach(offer.scopes, terms, itself)).studies
        open_terms, studies = without_kept(terms, asked.client_id, studies)
        if terms.chosen and not open_terms.chosen:
            raise TermsRefused("grant.nothing-now")
        allowed = checked(open_terms, Ground(offer.scopes, studies, now, offer.right_ends))
        lasting = self._lasting(principal, offer.already)
        ticked, may_stand = terms.chosen or frozenset(), self._may_stand(principal)
        yes = _Yes(principal, handle, allowed, studies, ticked, lasting, may_stand, now, request_id)
        try:
            address, before = desk.database.run(lambda session: self._granted(session, yes))
        except BadInput as error:
            if error.code == TAMPER:
                raise desk.approvals.tampered(handle, session_id) from error
            raise
        if before is not None:
            desk.release([before])
        return address

    def refuse(self, principal: Principal, handle: str, *, session_id: str, request_id: str) -> str:
        """No: the app's redirect URI with `access_denied` (RFC 6749 §4.1.2.1). Raises as `approve` does."""
        desk = self._desk
        desk.approvals.bind(handle, session_id)

        def work(session: Session) -> Asked:
            asked = desk.approvals.take(handle, session_id, session)
            event = desk.event(principal, "grant.refused", {"client": asked.client_id}, request_id)
            desk.audit.record(event, session=session)
            return asked

        try:
            asked = desk.database.run(work)
        except BadInput as error:
            raise desk.approvals.tampered(handle, session_id) from error
        return answer_url(asked, desk.issuer(asked.provider), error="access_denied")

    def _granted(self, session: Session, yes: _Yes) -> tuple[str, Grant | None]:
        """The address to go to, and the version that this one replaces."""
        desk, principal = self._desk, yes.principal
        asked = desk.approvals.take(yes.handle, principal.session_id, session)
        self._app(asked, session)
        context = desk.identity.held_context(session, principal.session_id, principal.context_id)
        before = desk.grants.living(session, asked.provider, asked.client_id, principal.patient, principal.person_id)
        grant = self._version(session, yes, asked, context, before)
        desk.grants.put(session, grant, kind="approved", by=principal.kind.value)
        desk.plan(session, grant, yes.now)
        desk.owing.owe(session, grant)
        desk.alerts.tell(session, principal.person_id, asked.provider, lambda letters: letters.app_allowed())
        code = desk.tokens.issue_code(session, asked.provider, self._code(grant, asked, context, yes))
        by = principal.kind.value
        desk.note(session, grant, "grant.approved", by=by, request_id=yes.request_id, session_id=principal.session_id)
        return answer_url(asked, desk.issuer(asked.provider), code=code), before

    def _version(self, session: Session, yes: _Yes, asked: Asked, context: Context, before: Grant | None) -> Grant:
        principal = yes.principal
        terms, credential_id, bound = self._way(session, yes, before)
        fresh = Grant(
            id=new_id("grt"),
            provider=asked.provider,
            client_id=asked.client_id,
            patient=principal.patient,
            person_id=principal.person_id,
            granted_by=principal.kind,
            version=1,
            state=GrantState.ACTIVE,
            terms=terms,
            credential_id=credential_id,
            fhir_user=context.fhir_user,
            session_id=bound,
            approved_at=yes.now,
            changed_at=yes.now,
        )
        if before is None:
            return fresh
        return replace(fresh, id=before.id, version=before.version + 1, last_used_at=before.last_used_at)

    def _way(self, session: Session, yes: _Yes, before: Grant | None) -> tuple[Terms, str, str | None]:
        """The grant's way to the EHR, and the session that it ends with (decisions 10 and 16).

        The person's own credential, where one lasts; else backend services, where it may stand on them; without
        either, `offline_access` becomes what it can be: `online_access`.
        """
        principal, terms = yes.principal, yes.terms
        words = terms.scopes.words
        mine = principal.credential_id
        if _OFFLINE not in words:
            return terms, mine, principal.session_id if _ONLINE in words else None
        if yes.lasting is not None and yes.lasting in {mine, before.credential_id if before else mine}:
            return terms, yes.lasting, None
        if yes.may_stand:
            return terms, self._desk.keeper.stand(session, principal.patient), None
        online = replace(terms.scopes, words=(words - {_OFFLINE}) | {_ONLINE})
        return replace(terms, scopes=online), mine, principal.session_id

    def _code(self, grant: Grant, asked: Asked, context: Context, yes: _Yes) -> CodeFacts:
        """A context that was asked for is there, or the scope that asks for it was not granted."""
        shown = self._desk.tokens.shown(grant)
        reached = [study.uid for study in matching(grant.terms, yes.studies)]
        scopes = statement(grant.terms.scopes, grant.terms, shown)
        opened = [uid for uid in reached if _reference(grant, uid) in asked.fhir_context]
        if not opened and _STUDY in scopes.words:
            opened = [uid for uid in reached if uid in yes.ticked]
        if not opened:
            scopes = replace(scopes, words=scopes.words - {_STUDY})
        return CodeFacts(
            client_id=asked.client_id,
            grant_id=grant.id,
            redirect_uri=asked.redirect_uri,
            challenge=asked.challenge,
            scope=text(scopes),
            nonce=asked.nonce,
            fhir_context=tuple(_reference(grant, shown(uid)) for uid in opened),
            auth_time=context.auth_time,
        )

    def _lasting(self, principal: Principal, already: Grant | None) -> str | None:
        """The session's credential if it lasts, else that of the grant there is, if that does."""
        credentials = [principal.credential_id, *([already.credential_id] if already else [])]
        return next((each for each in credentials if self._desk.keeper.lasting(each, principal.patient)), None)

    def _may_stand(self, principal: Principal) -> bool:
        """Only what patients themselves allow. A representative's right lasts as long as the hospital says so, by the
        credential that it gave them: a token that is not theirs would outlive it, and see more than they may.
        """
        patient = principal.kind is PrincipalKind.PATIENT
        return patient and self._desk.keeper.offers_system(principal.patient.provider)

    def _app(self, asked: Asked, session: Session | None = None) -> App:
        app = self._desk.apps.find(asked.provider, asked.client_id, session=session)
        if app is None or app.state is not AppState.ACTIVE:
            raise NotFound
        return app


def _reference(grant: Grant, uid: str) -> str:
    """The study at our FHIR base."""
    return f"ImagingStudy/{study_id(grant.provider, uid)}"
