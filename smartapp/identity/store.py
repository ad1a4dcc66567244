"""Queries over people, sessions and contexts.

Those that every request makes speak to the tables, not to the mapped classes: that halves what they cost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, bindparam, or_, select, update
from sqlalchemy.orm import Session

from smartapp.db.look import Look, Reader
from smartapp.db.upsert import upsert
from smartapp.identity.tables import ContextRow, PersonRow, SessionRow


@dataclass(frozen=True)
class StoredContext:
    """A context as it is stored."""

    id: str
    provider: str
    patient_id: str
    kind: str
    credential_id: str
    expires_at: datetime | None
    sealed: bytes


@dataclass(frozen=True)
class StoredSession:
    """A session as it is stored, without its contexts."""

    id: str
    person_id: str
    agent: str
    created_at: datetime
    last_seen: datetime
    absolute_until: datetime


def person_id(session: Session, subject_ref: str, provider: str, fresh_id: str, now: datetime) -> str:
    """The id of the person with this subject, who is added as `fresh_id` when unknown; two workers get the same."""
    values = {"id": fresh_id, "provider": provider, "subject_ref": subject_ref, "created_at": now}
    session.execute(upsert(session, PersonRow).values(values).on_conflict_do_nothing(index_elements=["subject_ref"]))
    return session.execute(select(PersonRow.id).where(PersonRow.subject_ref == subject_ref)).scalar_one()


def add(session: Session, stored: StoredSession, cookie_ref: str, context: StoredContext) -> None:
    """A new session with the one record that is open in it."""
    session.add(SessionRow(**vars(stored), cookie_ref=cookie_ref, ended_at=None))
    session.flush()
    session.add(ContextRow(**vars(context), session_id=stored.id))
    session.flush()


def by_cookie(session: Session, cookie_ref: str) -> tuple[StoredSession, list[StoredContext]] | None:
    """The session that was not ended and has this cookie, with its contexts."""
    rows = [_split(row) for row in session.connection().execute(_BY_COOKIE, {"cookie_ref": cookie_ref})]
    return (rows[0][0], [context for _, context in rows]) if rows else None


def by_id(reader: Reader, session_id: str) -> StoredSession | None:
    """The session with this id, unless it was ended."""
    row = _BY_ID.at(reader, session_id=session_id)
    return StoredSession(*row) if row else None


def context_of(reader: Reader, session_id: str, context_id: str) -> tuple[StoredSession, StoredContext] | None:
    """One context of a session that was not ended."""
    row = _CONTEXT.at(reader, session_id=session_id, context_id=context_id)
    return _split(row) if row else None


def lock(session: Session, session_id: str) -> None:
    """Holds the row of a session until the transaction ends (PostgreSQL; SQLite has one writer anyway)."""
    session.execute(select(SessionRow.id).where(SessionRow.id == session_id).with_for_update())


def credential_in_use(session: Session, credential_id: str) -> bool:
    """Whether a context of a session that was not ended has this credential."""
    found = select(ContextRow.id).join(SessionRow, SessionRow.id == ContextRow.session_id)
    found = found.where(ContextRow.credential_id == credential_id, SessionRow.ended_at.is_(None)).limit(1)
    return session.execute(found).first() is not None


def of_person(session: Session, person: str) -> list[StoredSession]:
    """The person's sessions that were not ended, newest first; some may be over by their limits."""
    newest = SessionRow.created_at.desc()
    found = session.execute(
        select(*_SESSION).where(SessionRow.person_id == person, SessionRow.ended_at.is_(None)).order_by(newest)
    )
    return [StoredSession(*row) for row in found]


def expired(session: Session, idle_since: datetime, now: datetime, limit: int) -> list[StoredSession]:
    """Sessions that are past a limit and were not ended, locked until the transaction ends; others skip them."""
    over = or_(SessionRow.last_seen <= idle_since, SessionRow.absolute_until <= now)
    found = session.execute(
        select(*_SESSION).where(SessionRow.ended_at.is_(None), over).limit(limit).with_for_update(skip_locked=True)
    )
    return [StoredSession(*row) for row in found]


def open_ones(session: Session, limit: int) -> list[StoredSession]:
    """Sessions that were not ended, held until the transaction ends."""
    found = session.execute(select(*_SESSION).where(SessionRow.ended_at.is_(None)).limit(limit).with_for_update())
    return [StoredSession(*row) for row in found]


def saw(session: Session, session_id: str, now: datetime) -> None:
    """Moves `last_seen` forward."""
    session.execute(
        update(SessionRow)
        .where(SessionRow.id == session_id, SessionRow.last_seen < now)
        .values(last_seen=now)
        .execution_options(synchronize_session=False)
    )


def end(session: Session, session_id: str, now: datetime) -> bool:
    """Ends a session; False when it had been ended before, or never was."""
    done = session.execute(
        update(SessionRow)
        .where(SessionRow.id == session_id, SessionRow.ended_at.is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", done).rowcount == 1


def contexts(session: Session, session_id: str) -> list[StoredContext]:
    """The contexts of a session, ended or not."""
    found = session.execute(select(*_STORED).where(ContextRow.session_id == session_id))
    return [StoredContext(*row) for row in found]


def _split(row: Sequence[Any]) -> tuple[StoredSession, StoredContext]:
    return StoredSession(*row[:_WIDTH]), StoredContext(*row[_WIDTH:])


_S: Final = SessionRow.__table__.c
_C: Final = ContextRow.__table__.c
_SESSION: Final = tuple(_S[name] for name in StoredSession.__dataclass_fields__)
_STORED: Final = tuple(_C[name] for name in StoredContext.__dataclass_fields__)
_WIDTH: Final = len(_SESSION)
_BOTH: Final = select(*_SESSION, *_STORED).where(_C.session_id == _S.id, _S.ended_at.is_(None))
_BY_COOKIE: Final = _BOTH.where(_S.cookie_ref == bindparam("cookie_ref")).order_by(_C.id)
_CONTEXT: Final = Look(_BOTH.where(_S.id == bindparam("session_id"), _C.id == bindparam("context_id")))
_BY_ID: Final = Look(select(*_SESSION).where(_S.id == bindparam("session_id"), _S.ended_at.is_(None)))
