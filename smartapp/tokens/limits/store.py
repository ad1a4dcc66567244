"""Queries over counts."""

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from smartapp.db.look import Look, Reader
from smartapp.db.upsert import upsert
from smartapp.tokens.limits.tables import CountRow


def add(session: Session, subject_ref: str, window: datetime, amount: int, ends_at: datetime) -> int:
    """Adds to a count, in one statement; what it comes to."""
    row = {"subject_ref": subject_ref, "window": window, "used": amount, "ends_at": ends_at}
    more = (
        upsert(session, CountRow)
        .values(row)
        .on_conflict_do_update(
            index_elements=[CountRow.subject_ref, CountRow.window], set_={"used": CountRow.used + amount}
        )
        .returning(CountRow.used)
    )
    return session.execute(more).scalar_one()


def take_back(session: Session, subject_ref: str, window: datetime, amount: int) -> None:
    """Takes off a count what was not used after all."""
    mine = (CountRow.subject_ref == subject_ref) & (CountRow.window == window)
    session.execute(update(CountRow).where(mine).values(used=CountRow.used - amount))


def used(reader: Reader, subject_ref: str, window: datetime) -> int:
    """The count; 0 if there is none."""
    row = _USED.at(reader, subject_ref=subject_ref, window=window)
    return int(row[0]) if row else 0


def sweep(session: Session, now: datetime) -> None:
    """Removes the windows that are over."""
    session.execute(delete(CountRow).where(CountRow.ends_at <= now))


_C = CountRow.__table__.c
_USED: Final = Look(select(_C.used).where(_C.subject_ref == bindparam("subject_ref"), _C.window == bindparam("window")))
