"""Requests of apps that wait for a person's word: kept by us, shown in one browser session, answered once."""

import json
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.db.unit import Database
from smartapp.errors import BadInput, NotFound
from smartapp.exchange.approvals import store
from smartapp.exchange.approvals.model import Asked, answer_url
from smartapp.exchange.approvals.store import Stored
from smartapp.ids import new_secret
from smartapp.security.keyring import Keyring

__all__ = ["LIFETIME", "TAMPER", "Approvals", "Asked", "answer_url"]

LIFETIME: Final = timedelta(minutes=30)
TAMPER: Final = "consent.tamper"


class Approvals:
    """The use-case. The page holds a handle and nothing else: what is granted is what was stored when the app asked.

    Safe over any number of threads, workers and restarts.
    """

    def __init__(self, database: Database, keyring: Keyring, audit: AuditTrail, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._audit = audit
        self._clock = clock

    def begin(self, asked: Asked) -> str:
        """Keeps a checked request, sealed, for 30 minutes; the handle that stands for it (256 bits)."""
        handle, now = new_secret("sar"), self._clock.now()
        ref = self._ref(handle)
        sealed = self._keyring.seal(json.dumps(asdict(asked)).encode(), _aad(ref))
        row = Stored(ref, asked.provider, sealed, "", asked.offline_tried, None, now + LIFETIME)
        with self._database.write() as session:
            store.add(session, row, now)
        return handle

    def open(self, handle: str) -> Asked:
        """The request. NotFound for one that is unknown, over, or answered."""
        with self._database.read() as session:
            found = store.find(session, self._ref(handle), self._clock.now())
        if found is None or found.answered_at is not None:
            raise NotFound
        return self._asked(found)

    def bind(self, handle: str, session_id: str) -> None:
        """The request is shown in this browser session: from now on in no other.

        NotFound for one that is unknown, over, or answered; BadInput (`consent.tamper`, written down) in another
        session than the first.
        """
        ref, now = self._ref(handle), self._clock.now()
        with self._database.write() as session:
            held = store.hold(session, ref, session_id, now)
        if not held:
            self.open(handle)
            raise self.tampered(handle, session_id)

    def note_offline_tried(self, handle: str, session_id: str) -> None:
        """The browser is about to be sent to the EHR for a credential that lasts: once for each request.

        BadInput (`consent.tamper`) unless the request waits in this session.
        """
        ref, now = self._ref(handle), self._clock.now()
        with self._database.write() as session:
            marked = store.mark_tried(session, ref, session_id, now)
        if not marked:
            raise self.tampered(handle, session_id)

    def pass_on(self, session: Session, handle: str, old_session: str, new_session: str) -> None:
        """The browser that held the request signed in again: it goes over to the session that took the old one's
        place. For any other session nothing happens.
        """
        store.pass_on(session, self._ref(handle), old_session, new_session, self._clock.now())

    def let_go(self, handle: str, session_id: str) -> None:
        """Somebody who is not meant leaves: the request waits for whoever signs in next. For any other session nothing
        happens.
        """
        with self._database.write() as session:
            store.pass_on(session, self._ref(handle), session_id, "", self._clock.now())

    def take(self, handle: str, session_id: str, session: Session) -> Asked:
        """The request, to be answered within the caller's write: once, and in the session it was shown in.

        BadInput (`consent.tamper`) otherwise; the caller writes that down with `tampered`, after its rollback.
        """
        ref, now = self._ref(handle), self._clock.now()
        found = store.find(session, ref, now)
        if found is None or not store.answer(session, ref, session_id, now):
            raise BadInput(TAMPER)
        return self._asked(found)

    def tampered(self, handle: str, session_id: str) -> BadInput:
        """Writes down that a request was answered twice, too late, or in a session that it was not shown in; the error
        to raise.
        """
        with self._database.read() as session:
            found = store.find(session, self._ref(handle), self._clock.now())
        why = "unknown" if found is None else "answered" if found.answered_at else "session"
        provider = found.provider if found else ""
        self._audit.record(Event(TAMPER, "high", session_ref=session_id, detail={"why": why}, provider=provider))
        return BadInput(TAMPER)

    def _asked(self, found: Stored) -> Asked:
        plain = json.loads(self._keyring.open_(found.sealed, _aad(found.handle_ref)))
        asked = Asked(**{**plain, "fhir_context": tuple(plain["fhir_context"])})
        return replace(asked, offline_tried=found.offline_tried, asked_at=found.expires_at - LIFETIME)

    def _ref(self, handle: str) -> str:
        return self._keyring.mac("exchange.approval", handle)


def _aad(handle_ref: str) -> bytes:
    return f"approval\x1f{handle_ref}".encode()
