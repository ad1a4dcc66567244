"""Keeps the worklist as EHR and PACS are found: opens items, counts them, and settles those that became right."""

from typing import Any, Final

from sqlalchemy.orm import Session

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.db.datakeys import DataKeys
from smartapp.db.unit import Database
from smartapp.errors import DatabaseBusy
from smartapp.exchange.worklist import store
from smartapp.exchange.worklist.model import STUDY_UNMATCHED, How, Standing, State, Word, again, gone
from smartapp.exchange.worklist.sealed import ItemSeal, opened
from smartapp.exchange.worklist.store import StoredItem
from smartapp.identity.model import PatientKey
from smartapp.ids import new_id
from smartapp.records.unmatched import Refreshed, Unmatched
from smartapp.security.keyring import Keyring

_NEVER: Final[dict[str, Any]] = {"word": None, "mailed": False}
"""What an item that is opened anew knows of what was said before: nothing."""


class Worklist:
    """The use-case behind a patient's index. Safe over any number of threads and workers: items have a unique key."""

    def __init__(
        self, database: Database, keyring: Keyring, datakeys: DataKeys, audit: AuditTrail, clock: Clock
    ) -> None:
        self._database = database
        self._seal = ItemSeal(keyring, datakeys)
        self._audit = audit
        self._clock = clock

    def observe(self, patient: PatientKey, found: Refreshed, request_id: str) -> None:
        """Writes down what a refresh found, in a write of its own; nothing is written when there is nothing to say.

        Items of this patient that the refresh no longer finds are settled by it, if it was complete. Raises
        DatabaseBusy, AuditUnavailable, IntegrityError, KeysUnavailable.
        """
        with self._database.read() as session:
            known = store.of_patient(session, patient.provider, self._seal.patient_ref(patient))
        if not found.unmatched and not (known and found.complete):
            return

        def work(session: Session) -> None:
            refs = {self._seal.ref(STUDY_UNMATCHED, patient, facts.uid): facts for facts in found.unmatched}
            for ref in sorted(refs):  # in one order everywhere: no two workers wait for each other
                self._seen(session, ref, patient, refs[ref], found, request_id)
            for row in known if found.complete else ():
                if row.ref not in refs:
                    self._gone(session, row.ref, patient, found, request_id)

        self._database.run(work)

    def told(self, patient: PatientKey, studies: tuple[str, ...]) -> bool:
        """Whether staff were told of all of these withheld studies. While nobody can say: no."""
        refs = [self._seal.ref(STUDY_UNMATCHED, patient, study) for study in studies]
        try:
            with self._database.read() as session:
                return store.count_standing(session, refs) == len(refs)
        except DatabaseBusy:
            return False

    def _seen(
        self, session: Session, ref: str, patient: PatientKey, facts: Unmatched, found: Refreshed, request_id: str
    ) -> None:
        fresh = self._fresh(session, ref, patient, facts, found)
        if store.add_unless_present(session, fresh):
            self._record(session, "worklist.opened", fresh.id, patient, facts.uid, request_id)
            return
        row = store.by_ref(session, ref)
        if row is None:  # removed by another worker this moment: the next refresh opens it
            return
        before = opened(row).standing
        now = again(before, fresh.facts_ref, found.at)
        values = columns(now)
        if now.last_seen == found.at:  # anew each time: it may be under a key that was destroyed
            values["sealed"] = self._seal.facts(session, row.id, patient, facts)
        if before.state is State.SETTLED and now.state is State.OPEN:
            values |= _NEVER
            self._record(session, "worklist.reopened", row.id, patient, facts.uid, request_id)
        store.change(session, row.id, values)

    def _gone(self, session: Session, ref: str, patient: PatientKey, found: Refreshed, request_id: str) -> None:
        row = store.by_ref(session, ref)
        if row is None:
            return
        before = opened(row).standing
        now = gone(before, found.at)
        values = columns(now)
        if before.state is not State.SETTLED and now.how is How.CORRECTED:
            values["word"] = self._seal.word(session, row.id, patient, Word())
            self._record(session, "worklist.corrected", row.id, patient, "", request_id)
        store.change(session, row.id, values)

    def _fresh(self, session: Session, ref: str, patient: PatientKey, facts: Unmatched, found: Refreshed) -> StoredItem:
        item_id = new_id("wrk")
        standing = Standing(State.OPEN, self._seal.facts_ref(patient, facts), found.at, 1)
        return StoredItem(
            id=item_id,
            ref=ref,
            provider=patient.provider,
            kind=STUDY_UNMATCHED,
            patient_ref=self._seal.patient_ref(patient),
            sealed_patient=self._seal.patient(item_id, patient),
            sealed=self._seal.facts(session, item_id, patient, facts),
            first_seen=found.at,
            **_NEVER,
            **columns(standing),
        )

    def _record(
        self, session: Session, kind: str, item_id: str, patient: PatientKey, study: str, request_id: str
    ) -> None:
        detail = {"item": item_id, **({"study": study} if study else {})}
        event = Event(kind, patient=patient, detail=detail, request_id=request_id)
        self._audit.record(event, session=session)


def columns(standing: Standing) -> dict[str, Any]:
    """The columns that say where an item stands."""
    return {
        "state": standing.state.value,
        "facts_ref": standing.facts_ref,
        "last_seen": standing.last_seen,
        "times_seen": standing.times_seen,
        "how": standing.how.value if standing.how else "",
        "settled_at": standing.settled_at,
    }
