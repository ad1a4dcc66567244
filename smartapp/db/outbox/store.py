"""Queries over what is still to be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, delete, func, insert, select, update
from sqlalchemy.orm import Session

from smartapp.db.outbox.tables import OutboxRow


@dataclass(frozen=True)
class StoredEntry:
    """An entry as it is stored; `attempts` counts the one that begins with this claim."""

    id: str
    kind: str
    sealed: bytes
    created_at: datetime
    claim: str
    attempts: int


@dataclass(frozen=True)
class Waiting:
    """How much waits, since when, and how much was given up."""

    waiting: int
    oldest: datetime | None
    dead: int


def add(session: Session, entry_id: str, kind: str, sealed: bytes, now: datetime) -> None:
    """A new entry, due at once."""
    values = {"id": entry_id, "kind": kind, "sealed": sealed, "created_at": now, "due_at": now}
    session.execute(insert(OutboxRow).values(**values, claim="", attempts=0, fault="", dead_at=None))


def claim(session: Session, kind: str, token: str, now: datetime, until: datetime, *, limit: int) -> list[StoredEntry]:
    """Takes up to `limit` entries that are due, the longest waiting first; of many who try at once, one gets each.

    One statement: who selects first and updates then, loses or doubles a third of the rows.
    """
    due = (
        select(OutboxRow.id)
        .where(OutboxRow.kind == kind, OutboxRow.dead_at.is_(None), OutboxRow.due_at <= now)
        .order_by(OutboxRow.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = (
        update(OutboxRow)
        .where(OutboxRow.id.in_(due.scalar_subquery()))
        .values(claim=token, due_at=until, attempts=OutboxRow.attempts + 1)
        .returning(*_COLUMNS)
        .execution_options(synchronize_session=False)
    )
    return sorted((StoredEntry(*row) for row in session.execute(taken)), key=lambda entry: entry.created_at)


def done(session: Session, entry_id: str, token: str) -> bool:
    """Removes an entry, if the claim is still ours."""
    return _changed(session.execute(delete(OutboxRow).where(*_ours(entry_id, token))))


def later(session: Session, entry_id: str, token: str, due_at: datetime, fault: str) -> bool:
    """Gives an entry back, to be tried at `due_at`, if the claim is still ours."""
    back = update(OutboxRow).where(*_ours(entry_id, token)).values(claim="", due_at=due_at, fault=fault)
    return _changed(session.execute(back.execution_options(synchronize_session=False)))


def bury(session: Session, entry_id: str, token: str, now: datetime, fault: str) -> bool:
    """Marks an entry as tried no more, if the claim is still ours."""
    dead = update(OutboxRow).where(*_ours(entry_id, token)).values(claim="", dead_at=now, fault=fault)
    return _changed(session.execute(dead.execution_options(synchronize_session=False)))


def sweep(session: Session, before: datetime) -> int:
    """Removes what was given up before then; how many."""
    gone = session.execute(delete(OutboxRow).where(OutboxRow.dead_at < before))
    return cast("CursorResult[Any]", gone).rowcount


def waiting(session: Session) -> Waiting:
    """How much waits, since when, and how much was given up."""
    alive = OutboxRow.dead_at.is_(None)
    count, oldest = session.execute(select(func.count(), func.min(OutboxRow.created_at)).where(alive)).one()
    dead = session.execute(select(func.count()).select_from(OutboxRow).where(~alive)).scalar_one()
    return Waiting(count, oldest, dead)


def _ours(entry_id: str, token: str) -> Sequence[Any]:
    return (OutboxRow.id == entry_id, OutboxRow.claim == token, OutboxRow.dead_at.is_(None))


def _changed(result: Any) -> bool:
    return cast("CursorResult[Any]", result).rowcount == 1


_COLUMNS: Final = tuple(getattr(OutboxRow, name) for name in StoredEntry.__dataclass_fields__)
