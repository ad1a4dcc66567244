"""Queries over what is still to be done about grants."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from smartapp.db.upsert import upsert
from smartapp.exchange.grants.tables import ConsentWriteRow, DateRow


@dataclass(frozen=True)
class Owed:
    """A Consent that is to be written, or was."""

    grant_id: str
    provider: str
    person_id: str
    credential_id: str
    asked: int
    done: int


@dataclass(frozen=True)
class Due:
    """Something to be done about a grant, at its time."""

    grant_id: str
    kind: str
    due_at: datetime


def owe(session: Session, grant_id: str, provider: str, person_id: str, credential_id: str) -> None:
    """One more asking for the grant's Consent to be written, with this credential."""
    row = ConsentWriteRow
    fresh = upsert(session, row).values(
        grant_id=grant_id, provider=provider, person_id=person_id, credential_id=credential_id, asked=1, done=0
    )
    again = {"credential_id": credential_id, "asked": row.asked + 1}
    session.execute(fresh.on_conflict_do_update(index_elements=["grant_id"], set_=again))


def owed(session: Session, grant_id: str) -> Owed | None:
    """The grant's Consent, if one was ever asked for."""
    row = session.execute(select(*_OWED).where(ConsentWriteRow.grant_id == grant_id)).one_or_none()
    return Owed(*row) if row else None


def written(session: Session, found: Owed) -> None:
    """It was written as `found` asked; the credential is let go when nothing was asked for since."""
    row = ConsentWriteRow
    where = (row.grant_id == found.grant_id, row.done < found.asked)
    _run(session, update(row).where(*where).values(done=found.asked))
    _run(session, update(row).where(row.grant_id == found.grant_id, row.asked == row.done).values(credential_id=""))


def let_go(session: Session, found: Owed) -> None:
    """Its credential is of no use: it waits for another, unless it has got one meanwhile."""
    row = ConsentWriteRow
    same = (row.grant_id == found.grant_id, row.credential_id == found.credential_id)
    _run(session, update(row).where(*same).values(credential_id=""))


def give(session: Session, grant_id: str, credential_id: str) -> bool:
    """Gives a Consent that waits for one a credential."""
    row = ConsentWriteRow
    waits = (row.grant_id == grant_id, row.credential_id == "", row.asked > row.done)
    return _run(session, update(row).where(*waits).values(credential_id=credential_id)) == 1


def waiting(session: Session, person_id: str) -> Sequence[str]:
    """The grants of a person whose Consent waits for a credential."""
    row = ConsentWriteRow
    found = select(row.grant_id).where(row.person_id == person_id, row.credential_id == "", row.asked > row.done)
    return session.scalars(found).all()


def keeps_credential(session: Session, credential_id: str) -> bool:
    """Whether a Consent is still to be written with this credential."""
    row = ConsentWriteRow
    found = select(row.grant_id).where(row.credential_id == credential_id, row.asked > row.done).limit(1)
    return session.execute(found).first() is not None


def set_date(session: Session, grant_id: str, kind: str, due_at: datetime) -> None:
    """Something is to be done then, instead of at the time said before."""
    fresh = upsert(session, DateRow).values(grant_id=grant_id, kind=kind, due_at=due_at)
    session.execute(fresh.on_conflict_do_update(index_elements=["grant_id", "kind"], set_={"due_at": due_at}))


def drop_date(session: Session, grant_id: str, kind: str) -> None:
    """It is not to be done."""
    session.execute(delete(DateRow).where(DateRow.grant_id == grant_id, DateRow.kind == kind))


def drop_dates(session: Session, grant_id: str) -> None:
    """Nothing is to be done about this grant any more."""
    session.execute(delete(DateRow).where(DateRow.grant_id == grant_id))


def due(session: Session, now: datetime, limit: int) -> list[Due]:
    """What is due, locked until the transaction ends; another worker skips it."""
    found = select(DateRow.grant_id, DateRow.kind, DateRow.due_at).where(DateRow.due_at <= now)
    rows = session.execute(found.order_by(DateRow.due_at).limit(limit).with_for_update(skip_locked=True))
    return [Due(*row) for row in rows]


def _run(session: Session, change: Any) -> int:
    done = session.execute(change.execution_options(synchronize_session=False))
    return cast("CursorResult[Any]", done).rowcount


_OWED: Final = tuple(getattr(ConsentWriteRow, name) for name in Owed.__dataclass_fields__)
