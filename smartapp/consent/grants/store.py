"""Queries over grants and their history. A grant that is over is never changed again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, CursorResult, and_, bindparam, insert, or_, select, update
from sqlalchemy.orm import Session

from smartapp.consent.grants.tables import GrantEventRow, GrantRow
from smartapp.db.look import Look, Reader
from smartapp.db.upsert import upsert

OVER: Final = ("ended", "expired")


@dataclass(frozen=True)
class StoredGrant:
    """A grant as it is stored."""

    id: str
    provider: str
    client_id: str
    patient_ref: str
    sealed_patient: bytes
    person_id: str
    granted_by: str
    version: int
    state: str
    sealed: bytes
    credential_id: str
    session_id: str | None
    expires_at: datetime | None
    approved_at: datetime
    changed_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True)
class StoredEvent:
    """A line of history as it is stored."""

    grant_id: str
    at: datetime
    kind: str
    by: str
    version: int
    sealed: bytes | None


def find(reader: Reader, grant_id: str) -> StoredGrant | None:
    """The grant with this id, over or not."""
    row = _FIND.at(reader, grant_id=grant_id)
    return StoredGrant(*row) if row else None


def standing(reader: Reader, grant_id: str) -> tuple[int, str, datetime | None] | None:
    """Version, state and end of a grant: the one read of every check."""
    row = _STANDING.at(reader, grant_id=grant_id)
    return (row[0], row[1], row[2]) if row else None


def open_ones(session: Session, *where: ColumnElement[bool]) -> list[StoredGrant]:
    """The grants that were not written down as over and meet `where`, newest first."""
    found = select(*_COLUMNS).where(GrantRow.state.not_in(OVER), *where)
    return [StoredGrant(*row) for row in session.execute(found.order_by(*_NEWEST))]


def of_key(session: Session, provider: str, client_id: str, patient_ref: str, person_id: str) -> list[StoredGrant]:
    """The open grants of this app, patient and person: one at most."""
    return open_ones(
        session,
        GrantRow.provider == provider,
        GrantRow.client_id == client_id,
        GrantRow.patient_ref == patient_ref,
        GrantRow.person_id == person_id,
    )


def of_session(session: Session, session_id: str) -> list[StoredGrant]:
    """The open grants that end with this browser session."""
    return open_ones(session, GrantRow.session_id == session_id)


def of_client(session: Session, provider: str, client_id: str) -> list[StoredGrant]:
    """The open grants of an app."""
    return open_ones(session, GrantRow.provider == provider, GrantRow.client_id == client_id)


def of_credential(session: Session, credential_id: str) -> list[StoredGrant]:
    """The open grants whose way to the EHR this is."""
    return open_ones(session, GrantRow.credential_id == credential_id)


def of_person(session: Session, person_id: str, patient_ref: str) -> list[StoredGrant]:
    """All grants that a person gave for a patient, newest first."""
    mine = (GrantRow.person_id == person_id, GrantRow.patient_ref == patient_ref)
    found = session.execute(select(*_COLUMNS).where(*mine).order_by(*_NEWEST))
    return [StoredGrant(*row) for row in found]


def of_patient(session: Session, patient_ref: str) -> list[StoredGrant]:
    """All grants over a patient's record, newest first."""
    found = session.execute(select(*_COLUMNS).where(GrantRow.patient_ref == patient_ref).order_by(*_NEWEST))
    return [StoredGrant(*row) for row in found]


def unused_since(session: Session, moment: datetime, limit: int) -> list[StoredGrant]:
    """Active grants that nobody used or changed since, locked until the transaction ends; others skip them."""
    unused = and_(
        GrantRow.state == "active",
        GrantRow.changed_at <= moment,
        or_(GrantRow.last_used_at.is_(None), GrantRow.last_used_at <= moment),
    )
    found = select(*_COLUMNS).where(unused).order_by(GrantRow.changed_at).limit(limit)
    return [StoredGrant(*row) for row in session.execute(found.with_for_update(skip_locked=True))]


def add(session: Session, grant: StoredGrant) -> bool:
    """A new grant; False when another worker was first with one for the same app, patient and person."""
    added = upsert(session, GrantRow).values(**vars(grant)).on_conflict_do_nothing().returning(GrantRow.id)
    return session.execute(added).first() is not None


def renew(session: Session, grant: StoredGrant) -> bool:
    """Puts the next version in the place of the one before; False when it has changed, or is over."""
    same = (GrantRow.id == grant.id, GrantRow.version == grant.version - 1, GrantRow.state.not_in(OVER))
    fixed = {"id", "approved_at", "last_used_at"}
    values = {name: value for name, value in vars(grant).items() if name not in fixed}
    renewed = update(GrantRow).where(*same).values(**values)
    return _changed(session.execute(renewed.execution_options(synchronize_session=False)))


def change(session: Session, grant_id: str, values: Mapping[str, Any], *unless: str) -> bool:
    """Changes a grant that is not over, nor in a state of `unless`; whether it did."""
    mine = (GrantRow.id == grant_id, GrantRow.state.not_in((*OVER, *unless)))
    changed = update(GrantRow).where(*mine).values(**values)
    return _changed(session.execute(changed.execution_options(synchronize_session=False)))


def touch(session: Session, grant_id: str, now: datetime, before: datetime) -> None:
    """Moves `last_used_at` forward, unless it was moved after `before`."""
    stale = or_(GrantRow.last_used_at.is_(None), GrantRow.last_used_at <= before)
    touched = update(GrantRow).where(GrantRow.id == grant_id, stale).values(last_used_at=now)
    session.execute(touched.execution_options(synchronize_session=False))


def add_event(session: Session, event: StoredEvent) -> None:
    """Appends to a grant's history."""
    session.execute(insert(GrantEventRow).values(**vars(event)))


def events(session: Session, grant_id: str) -> list[StoredEvent]:
    """A grant's history, from the beginning."""
    columns = (getattr(GrantEventRow, name) for name in StoredEvent.__dataclass_fields__)
    found = session.execute(select(*columns).where(GrantEventRow.grant_id == grant_id).order_by(GrantEventRow.seq))
    return [StoredEvent(*row) for row in found]


def _changed(result: Any) -> bool:
    return cast("CursorResult[Any]", result).rowcount == 1


_NEWEST: Final[Sequence[Any]] = (GrantRow.approved_at.desc(), GrantRow.id)
_G: Final = GrantRow.__table__.c
_COLUMNS: Final = tuple(_G[name] for name in StoredGrant.__dataclass_fields__)
_FIND: Final = Look(select(*_COLUMNS).where(_G.id == bindparam("grant_id")))
_STANDING: Final = Look(select(_G.version, _G.state, _G.expires_at).where(_G.id == bindparam("grant_id")))
