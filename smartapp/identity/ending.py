"""How sessions end: each in one write, with all that hangs on it."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.db.unit import Database
from smartapp.errors import NotFound
from smartapp.identity import store
from smartapp.identity.model import PatientKey
from smartapp.identity.store import StoredSession
from smartapp.settings import Sessions

_BATCH: Final = 100


class SessionEnds:
    """The half of `Identity` that ends sessions, and knows when one is over by itself."""

    def __init__(self, database: Database, audit: AuditTrail, clock: Clock, limits: Sessions) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock
        self._idle = timedelta(seconds=limits.idle)
        self._with_the_end: list[Callable[[Session, str], None]] = []

    def ends_with(self, work: Callable[[Session, str], None]) -> None:
        """From now on `work(session, session_id)` is done within every write that ends a session, however it ends: so
        nothing that hangs on it outlives it, not even a crash. Said once, when the house is built.
        """
        self._with_the_end.append(work)

    def end(self, session_id: str, *, person_id: str | None = None, request_id: str = "") -> tuple[str, ...]:
        """Ends a session at once; gives the ids of the EHR credentials that it used. A second time it does nothing.

        With `person_id`, only that person's session: NotFound otherwise.
        """

        def work(session: Session) -> tuple[str, ...]:
            row = store.by_id(session, session_id)
            if person_id is not None and (row is None or row.person_id != person_id):
                raise NotFound
            return self._end(session, row, "session.end", request_id) if row else ()

        return self._database.run(work)

    def end_all(self, person_id: str, *, request_id: str = "") -> tuple[str, ...]:
        """Ends all of a person's sessions at once, in every browser; gives the ids of their EHR credentials."""

        def work(session: Session) -> tuple[str, ...]:
            rows = store.of_person(session, person_id)
            ended = (self._end(session, row, "session.end-all", request_id) for row in rows)
            return tuple(credential for credentials in ended for credential in credentials)

        return self._database.run(work)

    def end_expired(self) -> tuple[str, ...]:
        """Ends the sessions that are past a limit; gives the ids of their EHR credentials, to be given back.

        They open nothing from that moment by themselves: this writes it down and clears up. For every minute or so.
        """

        def lapsed(session: Session) -> Sequence[StoredSession]:
            now = self._clock.now()
            return store.expired(session, now - self._idle, now, _BATCH)

        return self._end_each(lapsed, "session.expired")

    def end_everybody(self, kind: str) -> tuple[str, ...]:
        """Ends every session at this moment, whoever's it is; gives the ids of their EHR credentials. `kind` is the
        event that says so of each.
        """
        return self._end_each(lambda session: store.open_ones(session, _BATCH), kind)

    def _end_each(self, some: Callable[[Session], Sequence[StoredSession]], kind: str) -> tuple[str, ...]:
        """Ends those that `some` finds, until it finds none: a write for each batch."""

        def work(session: Session) -> list[tuple[str, ...]]:
            return [self._end(session, row, kind) for row in some(session)]

        credentials: list[str] = []
        while ended := self._database.run(work):
            credentials.extend(credential for each in ended for credential in each)
        return tuple(credentials)

    def _end(self, session: Session, row: StoredSession, kind: str, request_id: str = "") -> tuple[str, ...]:
        if not store.end(session, row.id, self._clock.now()):
            return ()
        self._record(session, kind, row, request_id=request_id)
        for work in self._with_the_end:
            work(session, row.id)
        return tuple(context.credential_id for context in store.contexts(session, row.id))

    def _record(
        self,
        session: Session,
        kind: str,
        row: StoredSession,
        *,
        patient: PatientKey | None = None,
        detail: dict[str, str] | None = None,
        request_id: str = "",
    ) -> None:
        event = Event(
            kind,
            patient=patient,
            principal_ref=row.person_id,
            session_ref=row.id,
            detail=detail or {},
            request_id=request_id,
        )
        self._audit.record(event, session=session)

    def _is_live(self, row: StoredSession, now: datetime) -> bool:
        return now < row.last_seen + self._idle and now < row.absolute_until
