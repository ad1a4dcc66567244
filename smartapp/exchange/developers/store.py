"""Queries over developers, their sessions, and their apps' traces."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Executable, delete, insert, select, update
from sqlalchemy.orm import Session

from smartapp.db.upsert import upsert
from smartapp.exchange.developers.tables import AppTraceRow, DeveloperRow, DeveloperSessionRow

_Statement = TypeVar("_Statement", bound=Executable)


@dataclass(frozen=True)
class StoredSession:
    """A developer's session as it is stored."""

    id: str
    cookie_ref: str
    developer_id: str
    last_seen: datetime
    absolute_until: datetime


@dataclass(frozen=True)
class StoredTrace:
    """A request of an app as it is stored."""

    provider: str
    client_id: str
    at: datetime
    door: str
    error: str
    why: str
    request_id: str


def add_developer(session: Session, developer_id: str, address_ref: str, sealed: bytes, now: datetime) -> bool:
    """A new developer, unless the address is known already; whether it was new."""
    fresh = {"id": developer_id, "address_ref": address_ref, "sealed": sealed, "created_at": now}
    added = (
        upsert(session, DeveloperRow)
        .values(**fresh, asked=0, asked_since=now)
        .on_conflict_do_nothing(index_elements=["address_ref"])
        .returning(DeveloperRow.id)
    )
    return session.execute(added).scalar_one_or_none() is not None


def developer_at(session: Session, address_ref: str) -> str | None:
    """The id of the developer who reads mail at an address."""
    return session.scalar(select(DeveloperRow.id).where(DeveloperRow.address_ref == address_ref))


def sealed_address(session: Session, developer_id: str) -> bytes | None:
    """A developer's address, sealed."""
    return session.scalar(select(DeveloperRow.sealed).where(DeveloperRow.id == developer_id))


def count_asked(session: Session, developer_id: str, now: datetime, since: datetime) -> int:
    """Counts one more link asked for; how many there were since `since`, this one included."""
    mine = DeveloperRow.id == developer_id
    lapsed = update(DeveloperRow).where(mine, DeveloperRow.asked_since <= since).values(asked=0, asked_since=now)
    session.execute(_quietly(lapsed))
    counted = update(DeveloperRow).where(mine).values(asked=DeveloperRow.asked + 1).returning(DeveloperRow.asked)
    return session.execute(_quietly(counted)).scalar_one()


def open_session(session: Session, opened: StoredSession, now: datetime) -> None:
    """Stores a session, and clears away those that are over."""
    session.execute(_quietly(delete(DeveloperSessionRow).where(DeveloperSessionRow.absolute_until <= now)))
    session.execute(insert(DeveloperSessionRow).values(**vars(opened)))


def session_by_cookie(session: Session, cookie_ref: str) -> StoredSession | None:
    """The session with this hash; a limit may have passed."""
    columns = (getattr(DeveloperSessionRow, name) for name in StoredSession.__dataclass_fields__)
    row = session.execute(select(*columns).where(DeveloperSessionRow.cookie_ref == cookie_ref)).one_or_none()
    return StoredSession(*row) if row else None


def saw(session: Session, session_id: str, now: datetime) -> None:
    """The developer did something."""
    seen = update(DeveloperSessionRow).where(DeveloperSessionRow.id == session_id).values(last_seen=now)
    session.execute(_quietly(seen))


def end_all_sessions(session: Session) -> None:
    """Every developer is signed out."""
    session.execute(_quietly(delete(DeveloperSessionRow)))


def end_session(session: Session, session_id: str) -> None:
    """The session is over."""
    session.execute(_quietly(delete(DeveloperSessionRow).where(DeveloperSessionRow.id == session_id)))


def add_traces(session: Session, traces: Sequence[StoredTrace], keep: int) -> None:
    """Stores traces of one app, and removes all but its last `keep`."""
    session.execute(insert(AppTraceRow), [vars(trace) for trace in traces])
    mine = (AppTraceRow.provider == traces[0].provider, AppTraceRow.client_id == traces[0].client_id)
    oldest = select(AppTraceRow.seq).where(*mine).order_by(AppTraceRow.seq.desc()).offset(keep).limit(1)
    session.execute(_quietly(delete(AppTraceRow).where(*mine, AppTraceRow.seq <= oldest.scalar_subquery())))


def traces(session: Session, provider: str, client_id: str) -> list[StoredTrace]:
    """An app's traces, newest first."""
    columns = (getattr(AppTraceRow, name) for name in StoredTrace.__dataclass_fields__)
    mine = (AppTraceRow.provider == provider, AppTraceRow.client_id == client_id)
    found = session.execute(select(*columns).where(*mine).order_by(AppTraceRow.seq.desc()))
    return [StoredTrace(*row) for row in found]


def _quietly(statement: _Statement) -> _Statement:
    """Nothing of this room is held in a session's memory: there is nothing to bring up to date there."""
    return statement.execution_options(synchronize_session=False)
