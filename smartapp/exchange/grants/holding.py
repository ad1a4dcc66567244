"""A grant, from its first day to its last: narrowed, held, woken, ended; by its people, by time, by what fails."""

from dataclasses import replace
from typing import Final

from sqlalchemy.orm import Session

from smartapp.consent.grants.model import LIVING, Grant, GrantState, Terms
from smartapp.consent.reach import Reach
from smartapp.errors import AccessDenied, BadInput, Reason
from smartapp.exchange.grants.desk import Desk
from smartapp.exchange.grants.kept import without_kept
from smartapp.exchange.grants.model import TermsRefused
from smartapp.exchange.grants.terms import Ground, checked, itself, narrows, still_masked
from smartapp.identity.model import PatientKey, Principal
from smartapp.tokens.model import on_system

_PAUSABLE: Final = frozenset({GrantState.ACTIVE, GrantState.DORMANT, GrantState.NEEDS_SIGN_IN})
_OFFLINE: Final = "offline_access"


class Holding:
    """The use-case. Each call is one transaction, and doing it twice is doing it once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def change(self, principal: Principal, grant_id: str, terms: Terms, *, request_id: str) -> None:
        """Narrows a grant: a new version, that ends what runs under the one before.

        Raises TermsRefused (`grant.widens` for what is no narrowing: that takes a new request of the app), BadInput
        (`grant.over`), NotFound. A study that the record lists no more may stay chosen.
        """
        desk = self._desk
        with desk.database.read() as session:
            seen = desk.grant_of(session, principal, grant_id)
            context = desk.identity.context(session, principal.session_id, principal.context_id)
        studies = desk.records.known(principal, request_id, Reach(seen.terms.scopes, terms, itself)).studies
        _, studies = without_kept(terms, seen.client_id, studies)
        kept = (seen.terms.chosen or frozenset()) | seen.terms.sensitive
        now = desk.clock.now()
        wanted = checked(terms, Ground(seen.terms.scopes, studies, now, context.expires_at, kept))

        def work(session: Session) -> None:
            grant = desk.grant_of(session, principal, grant_id)
            self._require_living(grant)
            terms = still_masked(wanted, grant.terms)
            if not narrows(terms, grant.terms):
                raise TermsRefused("grant.widens")
            if terms == grant.terms:
                return
            following = replace(grant, version=grant.version + 1, terms=terms, changed_at=now)
            desk.grants.put(session, following, kind="changed", by=principal.kind.value)
            desk.plan(session, following, now)
            desk.owing.owe(session, following)
            self._note(session, principal, following, "grant.changed", request_id)

        desk.database.run(work)

    def pause(self, principal: Principal, grant_id: str, *, request_id: str) -> None:
        """Not now: the app is refused from this moment, and keeps what it has. NotFound, BadInput when over."""
        self._move(principal, grant_id, _PAUSABLE, GrantState.PAUSED, "paused", request_id)

    def resume(self, principal: Principal, grant_id: str, *, request_id: str) -> None:
        """Goes on after a pause. Only for whoever granted it (AccessDenied). NotFound, BadInput when over."""
        self._move(principal, grant_id, frozenset({GrantState.PAUSED}), GrantState.ACTIVE, "resumed", request_id)

    def wake(self, principal: Principal, grant_id: str, *, request_id: str) -> None:
        """Goes on after a long rest. Only for whoever granted it (AccessDenied). NotFound, BadInput when over."""
        self._move(principal, grant_id, frozenset({GrantState.DORMANT}), GrantState.ACTIVE, "woken", request_id)

    def end(self, principal: Principal, grant_id: str, *, request_id: str) -> None:
        """Ends it for ever, from this moment: tokens, running downloads, refresh. NotFound."""
        desk = self._desk

        def work(session: Session) -> Grant:
            grant = desk.grant_of(session, principal, grant_id)
            by = principal.kind.value
            if desk.close(session, grant, GrantState.ENDED, kind="ended", by=by, request_id=request_id):
                desk.alerts.tell(session, grant.person_id, grant.provider, lambda letters: letters.app_ended())
            return grant

        desk.release([desk.database.run(work)])

    def needs_sign_in(self, grant_id: str, request_id: str) -> None:
        """The EHR takes the grant's credential no longer: it is held until its person signs in again, and they are
        told. Nothing happens to one that is held already, or over.
        """
        desk = self._desk

        def work(session: Session) -> None:
            grant = desk.grants.find(session, grant_id)
            if grant is None or grant.state_at(desk.clock.now()) is not GrantState.ACTIVE:
                return
            if desk.grants.set_state(session, grant.id, GrantState.NEEDS_SIGN_IN, kind="needs-sign-in", by="us"):
                desk.alerts.tell(session, grant.person_id, grant.provider, lambda letters: letters.app_waits())
                desk.note(session, grant, "grant.needs-sign-in", by="us", request_id=request_id)

        desk.database.run(work)

    def tokens_stopped(self, session: Session, grant: Grant) -> None:
        """One of the app's tokens was used twice, and all of them are dead: its person is told, within the caller's
        write. The grant itself lives; the app has to ask anew.
        """
        self._desk.alerts.tell(session, grant.person_id, grant.provider, lambda letters: letters.app_stopped())

    def freeze(self, patient: PatientKey, request_id: str) -> None:
        """The patient's record was merged into another: what was granted over it is held until the patient allows it
        anew (A19). What is held so already, or over, stays as it is.
        """
        desk = self._desk

        def work(session: Session) -> None:
            for grant in desk.grants.of_patient(session, patient):
                if grant.state_at(desk.clock.now()) not in LIVING:
                    continue
                if desk.grants.set_state(session, grant.id, GrantState.FROZEN, kind="frozen", by="us"):
                    desk.note(session, grant, "grant.frozen", by="us", request_id=request_id, severity="high")

        desk.database.run(work)

    def signed_in(
        self, session: Session, person_id: str, patient: PatientKey, credential_id: str, *, lasting: bool
    ) -> tuple[Grant, ...]:
        """The person signed in again, within the caller's write: the grants that waited for it go on, and Consents
        that could not be written are. A grant that was given for good needs a credential that lasts, or stands on
        backend services as before: never on these if it did not (decision 16).

        Gives the grants as they were: their old credentials are to be released afterwards.
        """
        desk = self._desk
        desk.owing.signed_in(session, person_id, patient, credential_id)
        waiting = [
            grant
            for grant in desk.grants.of_person(session, person_id, patient)
            if grant.state_at(desk.clock.now()) is GrantState.NEEDS_SIGN_IN
            and (lasting or _OFFLINE not in grant.terms.scopes.words or on_system(grant.credential_id))
        ]
        for grant in waiting:
            if lasting or not on_system(grant.credential_id):
                desk.grants.set_credential(session, grant.id, credential_id)
            desk.grants.set_state(session, grant.id, GrantState.ACTIVE, kind="signed-in", by=grant.granted_by.value)
            desk.note(session, grant, "grant.signed-in", by=grant.granted_by.value, request_id="")
        return tuple(waiting)

    def session_ended(self, session: Session, session_id: str) -> None:
        """Within the write that ends a browser session: what ends with it. Other grants go on (decision 10)."""
        desk = self._desk
        desk.tokens.end_session(session, session_id)
        for grant in desk.grants.of_session(session, session_id):
            desk.close(session, grant, GrantState.ENDED, kind="ended", by="us", request_id="")

    def _move(
        self,
        principal: Principal,
        grant_id: str,
        allowed: frozenset[GrantState],
        state: GrantState,
        kind: str,
        request_id: str,
    ) -> None:
        """From one of `allowed` to `state`. From anywhere else among the living nothing happens: it is so already, or
        held for a reason that this cannot lift.
        """
        desk = self._desk

        def work(session: Session) -> None:
            grant = desk.grant_of(session, principal, grant_id)
            self._require_living(grant)
            if state is GrantState.ACTIVE and grant.person_id != principal.person_id:
                raise AccessDenied(Reason("grant-of-another", "grant"))
            if grant.state not in allowed:
                return
            if desk.grants.set_state(session, grant.id, state, kind=kind, by=principal.kind.value):
                self._note(session, principal, grant, f"grant.{kind}", request_id)
                if state is GrantState.ACTIVE:
                    desk.plan(session, grant, desk.clock.now())

        desk.database.run(work)

    def _require_living(self, grant: Grant) -> None:
        if grant.state_at(self._desk.clock.now()) not in LIVING:
            raise BadInput("grant.over")

    def _note(self, session: Session, principal: Principal, grant: Grant, kind: str, request_id: str) -> None:
        by = principal.kind.value
        self._desk.note(session, grant, kind, by=by, request_id=request_id, session_id=principal.session_id)
