"""People, and the browser sessions in which they act."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.db.datakeys import DataKeys
from smartapp.db.look import Reader
from smartapp.db.unit import Database
from smartapp.errors import PermitEnded, WrongContext
from smartapp.identity import agents, store
from smartapp.identity.ending import SessionEnds
from smartapp.identity.model import (
    BrowserSession,
    Context,
    Display,
    OpenedSession,
    PatientKey,
    Principal,
    PrincipalKind,
    SessionSummary,
)
from smartapp.identity.sealed import ContextSeal
from smartapp.identity.store import StoredContext, StoredSession
from smartapp.ids import new_id, new_secret
from smartapp.security.keyring import Keyring
from smartapp.settings import Sessions

__all__ = ["BrowserSession", "Context", "Display", "Identity", "OpenedSession", "SessionSummary"]

_SEEN_EVERY: Final = timedelta(seconds=30)
"""How often activity is written down. A session may so end this much before its idle limit, never after it."""


class Identity(SessionEnds):
    """Opens, finds and ends sessions. One per process; safe to share by threads."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        datakeys: DataKeys,
        audit: AuditTrail,
        clock: Clock,
        limits: Sessions,
    ) -> None:
        super().__init__(database, audit, clock, limits)
        self._keyring = keyring
        self._seal = ContextSeal(datakeys)
        self._absolute = timedelta(seconds=limits.absolute)

    def open_session(
        self,
        session: Session,
        *,
        provider: str,
        iss: str,
        sub: str,
        fhir_user: str,
        kind: PrincipalKind,
        patient: PatientKey,
        credential_id: str,
        display: Display,
        user_agent: str,
        replaces: str | None,
        relation: str = "",
        expires_at: datetime | None = None,
        auth_time: datetime | None = None,
        request_id: str = "",
    ) -> OpenedSession:
        """Opens a session for one record, within the caller's write.

        The person is whoever (provider, iss, sub) names. `replaces` is the cookie that this browser sent: its session
        ends in the same transaction, so that no cookie known from before a sign-in opens anything after it. A
        representative's `relation` and `expires_at` (UTC) come from the credential; `auth_time` is the EHR's word for
        when the person proved who they are. ValueError for a patient of another provider.
        """
        if patient.provider != provider:
            raise ValueError("a session and its record belong to one provider")
        now = self._clock.now()
        old, replaced = self._replace(session, replaces, request_id)
        subject_ref = self._keyring.mac("identity.subject", f"{provider}\x1f{iss}\x1f{sub}")
        person = store.person_id(session, subject_ref, provider, new_id("per"), now)
        agent = agents.summary(user_agent)
        opened = OpenedSession(new_secret("sas"), new_id("ses"), new_id("ctx"), replaced, person, agent, old)
        context = Context(
            opened.context_id,
            kind,
            patient,
            credential_id,
            fhir_user,
            display,
            relation=relation,
            expires_at=expires_at,
            auth_time=auth_time,
        )
        row = StoredSession(opened.session_id, person, agent, now, now, now + self._absolute)
        store.add(session, row, self._cookie_ref(opened.cookie), self._seal.close(context, session))
        detail = {"as": kind.value, "agent": row.agent, "relation": relation}
        self._record(session, "session.open", row, patient=patient, detail=detail, request_id=request_id)
        return opened

    def held_context(self, session: Session, session_id: str, context_id: str) -> Context:
        """The context of a session that is live, and stays so until the caller's write ends: who ends the session
        waits. Raises PermitEnded otherwise.
        """
        store.lock(session, session_id)
        return self.context(session, session_id, context_id)

    def context(self, reader: Reader, session_id: str, context_id: str) -> Context:
        """The context of a live session, with what is sealed of it. Raises PermitEnded otherwise."""
        found = store.context_of(reader, session_id, context_id)
        if found is None or not self._is_live(found[0], self._clock.now()):
            raise PermitEnded
        return self._seal.open_(found[1])

    def uses_credential(self, session: Session, credential_id: str) -> bool:
        """Whether a session that was not ended uses this credential of the EHR."""
        return store.credential_in_use(session, credential_id)

    def lookup(self, cookie: str, *, touch: bool = True) -> BrowserSession | None:
        """The live session that `cookie` opens, else None: one indexed read.

        `touch` says that a person did something: it moves the idle limit (written at most every 30 seconds). What a
        page does by itself is no activity.
        """
        with self._database.read() as reader:
            found = store.by_cookie(reader, self._cookie_ref(cookie))
        if found is None:
            return None
        row, contexts = found
        now = self._clock.now()
        if not self._is_live(row, now):
            return None
        last_seen = row.last_seen
        if touch and now - last_seen >= _SEEN_EVERY:
            with self._database.write() as writer:
                store.saw(writer, row.id, now)
            last_seen = now
        return BrowserSession(
            session_id=row.id,
            person_id=row.person_id,
            contexts=tuple(self._seal.open_(context) for context in contexts),
            created_at=row.created_at,
            idle_until=last_seen + self._idle,
            absolute_until=row.absolute_until,
        )

    def in_use(self, session_id: str) -> None:
        """What its person asked for is still on its way to them: the idle limit of a live session moves. One that is
        over stays over.
        """
        now = self._clock.now()

        def work(session: Session) -> None:
            row = store.by_id(session, session_id)
            if row is not None and self._is_live(row, now):
                store.saw(session, session_id, now)

        self._database.run(work)

    def principal(self, browser_session: BrowserSession, context_id: str) -> Principal:
        """Who asks in this context. Raises WrongContext when it is not one of this session's."""
        for context in browser_session.contexts:
            if context.context_id == context_id:
                return Principal(
                    kind=context.kind,
                    person_id=browser_session.person_id,
                    session_id=browser_session.session_id,
                    context_id=context_id,
                    patient=context.patient,
                    credential_id=context.credential_id,
                    expires_at=_earlier(browser_session.absolute_until, context.expires_at),
                )
        raise WrongContext

    def revive(self, reader: Reader, session_id: str, context_id: str) -> Principal:
        """The principal of a context whose browser session is live: one indexed read.

        Raises PermitEnded otherwise.
        """
        found = store.context_of(reader, session_id, context_id)
        if found is None or not self._is_live(found[0], self._clock.now()):
            raise PermitEnded
        return _principal(*found)

    def require_live(self, session_id: str) -> None:
        """Raises PermitEnded unless the session is live: one indexed read, never from memory."""
        row = store.by_id(self._database, session_id)
        if row is None or not self._is_live(row, self._clock.now()):
            raise PermitEnded

    def list_sessions(self, person_id: str, *, current: str = "") -> tuple[SessionSummary, ...]:
        """The person's live sessions, newest first; `current` is the id of the one that asks."""
        now = self._clock.now()
        with self._database.read() as reader:
            rows = store.of_person(reader, person_id)
        return tuple(
            SessionSummary(row.id, row.created_at, row.last_seen, row.agent, is_current=row.id == current)
            for row in rows
            if self._is_live(row, now)
        )

    def _replace(self, session: Session, cookie: str | None, request_id: str) -> tuple[str, tuple[str, ...]]:
        """The id of the session of `cookie`, which ends, and the credentials it used."""
        found = store.by_cookie(session, self._cookie_ref(cookie)) if cookie else None
        if found is None:
            return "", ()
        return found[0].id, self._end(session, found[0], "session.rotate", request_id)

    def _cookie_ref(self, cookie: str) -> str:
        return self._keyring.mac("identity.cookie", cookie)


def _principal(row: StoredSession, context: StoredContext) -> Principal:
    return Principal(
        kind=PrincipalKind(context.kind),
        person_id=row.person_id,
        session_id=row.id,
        context_id=context.id,
        patient=PatientKey(context.provider, context.patient_id),
        credential_id=context.credential_id,
        expires_at=_earlier(row.absolute_until, context.expires_at),
    )


def _earlier(session_end: datetime, right_end: datetime | None) -> datetime:
    return min(session_end, right_end) if right_end else session_end
