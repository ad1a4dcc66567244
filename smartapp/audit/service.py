"""The audit trail, as other rooms use it: no audit, no access."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from smartapp.audit.counters import Counters
from smartapp.audit.disclosures import Disclosures
from smartapp.audit.filtered import Filtered
from smartapp.audit.journal import Entry, Journal
from smartapp.audit.model import Answered, Asked, Asker, Event, Patient
from smartapp.audit.notices import Notices
from smartapp.audit.references import References
from smartapp.audit.store import Cover
from smartapp.clock import Clock
from smartapp.db.datakeys import DataKeys
from smartapp.db.unit import Database
from smartapp.errors import AuditUnavailable, Unavailable
from smartapp.security.keyring import Keyring

_SWEEP_EVERY: Final = timedelta(minutes=1)
_CONSENT: Final = "Consent/"
"""How a rule begins that rests on a Consent at the hospital (`consent.policy`)."""
_UIDS_IN_A_ROW: Final = 20


class AuditTrail:
    """Everything that is written down. One per process; safe to share by threads.

    Every method that has to write raises AuditUnavailable when it cannot, whatever the cause: then nothing may be read
    and nothing may leave.
    """

    def __init__(self, database: Database, keyring: Keyring, datakeys: DataKeys, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._references = References(keyring, datakeys)
        self._journal = Journal(self._references, clock)
        self._disclosures = Disclosures(database, self._journal, clock)
        self._counters = Counters(database, clock)
        self._notices = Notices(self._write_all, lambda: not database.writing, clock)
        self._filtered = Filtered()
        self._swept_at: datetime | None = None
        self._sweeping = threading.Lock()

    def record(self, event: Event, *, session: Session | None = None) -> int:
        """Writes `event` down, committed on its own or with the caller's `session`; gives its `seq`."""
        with _no_audit_no_access():
            if session is not None:
                return self._write(event, session)
            return self._database.run(lambda own: self._write(event, own))

    def note(self, event: Event, *, later: bool = False) -> None:
        """For what can be caused in masses: the first of its like is written now, the rest are counted, and told every
        five minutes. `later`: none is written now, for what must cost no time, or where the database is at fault.

        Raises nothing, so nothing may leave because of it. `detail` takes few different values: words of ours.
        """
        self._notices.note(event, later=later)

    def filtered(
        self, principal: Asker, patient: Patient, what: str, left_out: Mapping[str, int], *, under: str, request_id: str
    ) -> None:
        """So many of `what` (`series`, `studies`, …) were left out of an answer, by what they are of. It is written
        beside the request, within a second: once, with the sum, for a disclosure (`under`), or for a search where
        nothing was disclosed. Raises nothing.
        """
        self._filtered.add(principal, patient, what, left_out, under=under, request_id=request_id)

    def denied(self, question: Asked, decision: Answered, request_id: str) -> int:
        """Writes down a no, in a transaction of its own: it survives whatever the caller rolls back."""
        uids = [study.uid for study in question.studies]
        consents = " ".join(reason.rule for reason in decision.reasons if reason.rule.startswith(_CONSENT))
        return self.record(
            Event(
                "authz.denied",
                patient=question.patient,
                principal_ref=question.principal.person_id,
                session_ref=question.principal.session_id,
                detail={
                    "action": str(question.action),
                    "purpose": str(question.purpose),
                    "reasons": " ".join(reason.code for reason in decision.reasons),
                    "studies": " ".join(uids[:_UIDS_IN_A_ROW]),
                    "asked": str(len(uids)),
                    **({"consents": consents} if consents else {}),
                },
                request_id=request_id,
            )
        )

    def open_disclosure(
        self,
        principal: Asker,
        patient: Patient,
        study_uid: str | None,
        *,
        extent: str,
        authority: str,
        action: str,
        purpose: str,
        request_id: str,
        token_ref: str = "",
    ) -> str:
        """The id of a disclosure that covers what is about to leave; when it returns, its intent row is committed.

        `study_uid` is None for the record as a whole. An open one is used again when it agrees in person, session,
        patient, study, authority and purpose, and its extent is at least `extent` (ValueError for an unknown one).
        `token_ref`, a keyed hash already, is what the first one asked with: kept as a reference of its own.
        """
        refs = self._references
        cover = Cover(
            provider=patient.provider,
            patient_ref=refs.of_patient(patient),
            principal_ref=refs.of("person", principal.person_id),
            session_ref=refs.of("session", principal.session_id),
            study_ref=refs.of("study", f"{patient.provider}/{study_uid}" if study_uid else ""),
            authority=authority,
            purpose=str(purpose),
        )
        detail = {"authority": authority, "action": str(action), "purpose": str(purpose), "study": study_uid or ""}
        if token_ref:
            detail["token"] = refs.of("token", token_ref)
        with _no_audit_no_access():
            self._sweep_if_due()
            found = self._disclosures.covering(cover, str(extent))
            return found or self._disclosures.open(cover, str(extent), patient, detail, request_id)

    def count(self, disclosure_id: str, *, instances: int = 0, bytes: int = 0) -> None:  # noqa: A002 - the unit
        """So much was sent, within a stream or as a whole answer (then to be called before the answer leaves).

        Raises PermitEnded when the disclosure was closed: also in a stream that had stood still for so long.
        """
        with _no_audit_no_access():
            self._counters.count(disclosure_id, instances, bytes)

    def begin_stream(self, disclosure_id: str) -> None:
        """Bytes are about to flow. Raises PermitEnded when the disclosure is closed."""
        with _no_audit_no_access():
            self._counters.begin(disclosure_id)

    def end_stream(self, disclosure_id: str, *, complete: bool) -> None:
        """The stream that was begun is over: `complete`, or cut short. Raises nothing."""
        self._counters.end(disclosure_id, complete=complete)

    def flush(self) -> None:
        """Writes the counters that are still in memory. Raises nothing: what cannot be written stays for later."""
        self._counters.flush()

    def tell(self) -> None:
        """Writes what was noted and waits. Raises nothing: what cannot be written stays for later."""
        self._notices.tell(self._filtered.take(), everything=True)

    def tidy(self) -> None:
        """`flush`, what was noted and is due, and `sweep` when a minute has passed since the last."""
        self._counters.flush()
        self._notices.tell(self._filtered.take())
        with _no_audit_no_access():
            self._sweep_if_due()

    def sweep(self) -> int:
        """Closes the disclosures whose time is up, each with one outcome row; how many. For every start, and often."""
        with _no_audit_no_access():
            self._counters.flush()
            self._swept_at = self._clock.now()
            return self._disclosures.sweep()

    def _write(self, event: Event, session: Session) -> int:
        refs = self._references
        named = (
            event.patient.provider if event.patient else event.provider,
            refs.of_patient(event.patient),
            refs.of("person", event.principal_ref),
            refs.of("session", event.session_ref),
        )
        entry = Entry(event.kind, event.severity, event.patient, request_id=event.request_id)
        return self._journal.write(session, entry, named, event.detail)

    def _write_all(self, events: Sequence[Event]) -> None:
        with _no_audit_no_access():
            self._database.run(lambda session: [self._write(event, session) for event in events])

    def _sweep_if_due(self) -> None:
        """At most once a minute, by one thread: others do not wait for it."""
        if self._swept_at is not None and timedelta() <= self._clock.now() - self._swept_at < _SWEEP_EVERY:
            return
        if self._sweeping.acquire(blocking=False):
            try:
                self.sweep()
            finally:
                self._sweeping.release()


@contextmanager
def _no_audit_no_access() -> Iterator[None]:
    try:
        yield
    except (Unavailable, SQLAlchemyError) as error:
        raise AuditUnavailable from error
