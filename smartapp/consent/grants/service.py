"""Grants: what patients said to apps, in versions, with their history. Each method works in its caller's transaction.

Who may say it is decided above (`exchange.grants`), what it opens beside (`consent.policy`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from smartapp.clock import Clock
from smartapp.consent.grants import store
from smartapp.consent.grants.model import LIVING, Grant, GrantEvent, GrantState
from smartapp.consent.grants.sealed import GrantSeal
from smartapp.consent.grants.store import StoredEvent, StoredGrant
from smartapp.db.datakeys import DataKeys
from smartapp.db.faults import CONFLICT
from smartapp.db.look import Reader
from smartapp.errors import DatabaseBusy
from smartapp.identity.model import PatientKey
from smartapp.security.keyring import Keyring

_USED_EVERY: Final = timedelta(minutes=1)
"""How often use is written down."""


@dataclass(frozen=True)
class Standing:
    """What has to be read at every check: which version it is, and its state now."""

    version: int
    state: GrantState


class Grants:
    """Keeps the grants. One per process; safe to share by threads. Nothing is held in memory between calls."""

    def __init__(self, keyring: Keyring, datakeys: DataKeys, clock: Clock) -> None:
        self._seal = GrantSeal(keyring, datakeys)
        self._clock = clock

    def find(self, reader: Reader, grant_id: str) -> Grant | None:
        """The grant, over or not. Raises IntegrityError once its patient's key is destroyed."""
        row = store.find(reader, grant_id)
        return self._seal.open_(reader, row) if row else None

    def standing(self, reader: Reader, grant_id: str) -> Standing | None:
        """Where it stands now: one indexed read, and nothing is opened."""
        row = store.standing(reader, grant_id)
        if row is None:
            return None
        version, state, expires_at = row
        return Standing(version, self._state(state, expires_at))

    def living(
        self, session: Session, provider: str, client_id: str, patient: PatientKey, person_id: str
    ) -> Grant | None:
        """The grant that this person gave the app for this patient, if it lives (served, or held for now)."""
        rows = store.of_key(session, provider, client_id, self._seal.patient_ref(patient), person_id)
        return next((grant for grant in self._open(session, rows) if self._lives(grant)), None)

    def of_person(self, session: Session, person_id: str, patient: PatientKey) -> tuple[Grant, ...]:
        """All grants that a person gave for a patient, those that are over too, newest first."""
        return self._open(session, store.of_person(session, person_id, self._seal.patient_ref(patient)))

    def of_patient(self, session: Session, patient: PatientKey) -> tuple[Grant, ...]:
        """All grants over a patient's record, whoever gave them, those that are over too, newest first."""
        return self._open(session, store.of_patient(session, self._seal.patient_ref(patient)))

    def of_session(self, session: Session, session_id: str) -> tuple[Grant, ...]:
        """The grants that end with this browser session and are not over."""
        return self._open(session, store.of_session(session, session_id))

    def of_client(self, session: Session, provider: str, client_id: str) -> tuple[Grant, ...]:
        """An app's grants that were not written down as over."""
        return self._open(session, store.of_client(session, provider, client_id))

    def unused_since(self, session: Session, moment: datetime, limit: int) -> tuple[Grant, ...]:
        """Active grants that nobody used or changed since, for the caller's write; other workers get others."""
        return self._open(session, store.unused_since(session, moment, limit))

    def holds_credential(self, session: Session, credential_id: str) -> bool:
        """Whether a grant that is not over still needs this way to the EHR."""
        rows = store.of_credential(session, credential_id)
        return any(self._state(row.state, row.expires_at) is not GrantState.EXPIRED for row in rows)

    def put(self, session: Session, grant: Grant, *, kind: str, by: str) -> None:
        """Keeps a grant's next version, the first being 1, and says so in its history.

        Raises a DatabaseBusy that `Database.run` meets with a second attempt, when another worker was first: with a
        grant for the same app, patient and person, or with this version, or by ending it. ValueError for a patient of
        another provider.
        """
        if grant.patient.provider != grant.provider:
            raise ValueError("a grant and its patient belong to one provider")
        row = self._seal.close(session, grant)
        if grant.version == 1:
            self._clear_the_place(session, row)
            done = store.add(session, row)
        else:
            done = store.renew(session, row)
        if not done:
            raise DatabaseBusy(CONFLICT)
        store.add_event(session, StoredEvent(grant.id, self._clock.now(), kind, by, grant.version, row.sealed))

    def set_state(self, session: Session, grant_id: str, state: GrantState, *, kind: str, by: str) -> bool:
        """Moves a grant to `state` and says so in its history; False, and nothing is done, when it is there already,
        or over: what is over stays over.
        """
        values = {"state": state.value, "changed_at": self._clock.now()}
        if not store.change(session, grant_id, values, state.value):
            return False
        self.note(session, grant_id, kind=kind, by=by)
        return True

    def set_credential(self, session: Session, grant_id: str, credential_id: str) -> bool:
        """Gives a grant another way to the EHR; False when it is over."""
        return store.change(session, grant_id, {"credential_id": credential_id})

    def touch(self, session: Session, grant_id: str, now: datetime) -> None:
        """It was used: written down at most once a minute."""
        store.touch(session, grant_id, now, now - _USED_EVERY)

    def note(self, session: Session, grant_id: str, *, kind: str, by: str) -> None:
        """A line in the history that changes nothing. An unknown grant has no history."""
        found = store.standing(session, grant_id)
        if found is not None:
            store.add_event(session, StoredEvent(grant_id, self._clock.now(), kind, by, found[0], None))

    def events(self, session: Session, grant_id: str) -> tuple[GrantEvent, ...]:
        """A grant's history, from the beginning."""
        grant = self.find(session, grant_id)
        if grant is None:
            return ()
        return tuple(self._seal.event(session, grant.patient, row) for row in store.events(session, grant_id))

    def stale(self, grant: Grant, now: datetime) -> bool:
        """Whether `touch` would write something."""
        return grant.last_used_at is None or grant.last_used_at <= now - _USED_EVERY

    def _clear_the_place(self, session: Session, row: StoredGrant) -> None:
        """A grant whose time is over makes place for the next; so does one of an app that was suspended meanwhile."""
        for old in store.of_key(session, row.provider, row.client_id, row.patient_ref, row.person_id):
            state = self._state(old.state, old.expires_at)
            if state is GrantState.EXPIRED:
                self.set_state(session, old.id, GrantState.EXPIRED, kind="expired", by="us")
            elif state is GrantState.SUSPENDED:
                self.set_state(session, old.id, GrantState.ENDED, kind="ended", by="us")

    def _open(self, session: Session, rows: Iterable[StoredGrant]) -> tuple[Grant, ...]:
        return tuple(self._seal.open_(session, row) for row in rows)

    def _lives(self, grant: Grant) -> bool:
        return grant.state_at(self._clock.now()) in LIVING

    def _state(self, stored: str, expires_at: datetime | None) -> GrantState:
        state = GrantState(stored)
        over = expires_at is not None and self._clock.now() >= expires_at
        return GrantState.EXPIRED if over and state in LIVING else state
