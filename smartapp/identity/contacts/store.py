"""Queries over addresses for alerts."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Executable, select, update
from sqlalchemy.orm import Session

from smartapp.db.upsert import upsert
from smartapp.identity.contacts.tables import ContactRow

_Update = TypeVar("_Update", bound=Executable)


@dataclass(frozen=True)
class StoredContact:
    """A contact as it is stored."""

    person_id: str
    sealed: bytes
    language: str
    verified_at: datetime | None


def find(session: Session, person_id: str) -> StoredContact | None:
    """The verified address of a person, sealed."""
    columns = (getattr(ContactRow, name) for name in StoredContact.__dataclass_fields__)
    row = session.execute(
        select(*columns).where(ContactRow.person_id == person_id, ContactRow.verified_at.is_not(None))
    ).one_or_none()
    return StoredContact(*row) if row else None


def count_asked(session: Session, person_id: str, now: datetime, since: datetime) -> int:
    """Counts one more code asked for; how many there were since `since`, this one included."""
    empty = {"person_id": person_id, "sealed": b"", "language": "", "verified_at": None, "asked": 0}
    session.execute(
        upsert(session, ContactRow)
        .values(**empty, asked_since=None)
        .on_conflict_do_nothing(index_elements=["person_id"])
    )
    mine = ContactRow.person_id == person_id
    fresh = ContactRow.asked_since.is_(None) | (ContactRow.asked_since <= since)
    session.execute(_quietly(update(ContactRow).where(mine, fresh).values(asked=0, asked_since=now)))
    counted = update(ContactRow).where(mine).values(asked=ContactRow.asked + 1).returning(ContactRow.asked)
    return session.execute(_quietly(counted)).scalar_one()


def verified(session: Session, contact: StoredContact) -> None:
    """Keeps a verified address in the place of the one before."""
    values = {"sealed": contact.sealed, "language": contact.language, "verified_at": contact.verified_at}
    session.execute(_quietly(update(ContactRow).where(ContactRow.person_id == contact.person_id).values(values)))


def forget(session: Session, person_id: str) -> None:
    """No address any more; the count of what was asked for stays."""
    values = {"sealed": b"", "language": "", "verified_at": None}
    session.execute(_quietly(update(ContactRow).where(ContactRow.person_id == person_id).values(values)))


def _quietly(statement: _Update) -> _Update:
    """Nothing of this room is held in a session's memory: there is nothing to bring up to date there."""
    return statement.execution_options(synchronize_session=False)
