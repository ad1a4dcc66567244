"""Queries over the trail and the disclosures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import CursorResult, and_, bindparam, case, insert, literal, or_, select, text, update
from sqlalchemy.orm import Session

from smartapp.audit.tables import AuditEventRow, DisclosureRow
from smartapp.db.types import UtcDateTime

_APPEND_LOCK: Final = 0x617564_6974
"""The advisory lock under which a `seq` is drawn and committed (PostgreSQL §13.3.5)."""
OPENED: Final = "disclosure.opened"
"""The kind of the row that is committed before a disclosure's first byte leaves."""
_SKEW: Final = timedelta(seconds=2)
"""How far the clocks of several machines may be apart before a row is marked."""


@dataclass(frozen=True, slots=True)
class Cover:
    """What a disclosure has to agree in to cover a request."""

    provider: str
    patient_ref: str
    principal_ref: str
    session_ref: str
    study_ref: str
    authority: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Open:
    """A disclosure that is open, and of what extent."""

    id: str
    extent: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known of a disclosure that is to be closed."""

    id: str
    provider: str
    patient_ref: str
    principal_ref: str
    session_ref: str
    extent: str
    holders: int
    completed: int
    aborted: int
    instances: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What one disclosure came to so far. `study_ref` is empty for the record as a whole."""

    study_ref: str
    extent: str
    instances: int
    bytes: int
    opened_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """That a disclosure was opened, and when; what does not change of it. `study_ref` as in `Seen`."""

    id: str
    study_ref: str
    purpose: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Intent:
    """The row that a disclosure was opened by."""

    at: datetime
    request_id: str
    detail: bytes


@dataclass(slots=True)
class Counts:
    """What there is to add to a disclosure's counters."""

    instances: int = 0
    bytes: int = 0
    completed: int = 0
    aborted: int = 0


def append(session: Session, values: dict[str, Any]) -> int:
    """Adds an event and gives its `seq`.

    On PostgreSQL appends wait for each other until they commit, so that `seq` grows in the order of commits and nobody
    who saw the head later finds a row below it. It costs parallelism: record last in a long transaction. SQLite has
    one writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _APPEND_LOCK})
    before = session.connection().execute(_LAST_AT).scalar()
    skewed = before is not None and values["at"] < before - _SKEW
    seq: int = session.connection().execute(_APPEND, {**values, "skewed": skewed}).scalar_one()
    return seq


def head(session: Session) -> tuple[int, str, bytes] | None:
    """The last row of the trail: its `seq`, kind and sealed detail."""
    row = AuditEventRow
    found = session.execute(select(row.seq, row.kind, row.detail).order_by(row.seq.desc()).limit(1)).first()
    return (found[0], found[1], bytes(found[2])) if found else None


def row_at(session: Session, seq: int) -> tuple[str, bytes] | None:
    """Kind and sealed detail of the row with this `seq`."""
    row = AuditEventRow
    found = session.execute(select(row.kind, row.detail).where(row.seq == seq)).first()
    return (found[0], bytes(found[1])) if found else None


def add_disclosure(session: Session, disclosure_id: str, cover: Cover, extent: str, now: datetime) -> None:
    """A new disclosure, open from `now`."""
    facts = {name: getattr(cover, name) for name in _COVER}
    row = DisclosureRow(id=disclosure_id, extent=extent, opened_at=now, last_at=now, closed_at=None, **facts)
    session.add(row)
    session.flush()


def find_open(
    session: Session, cover: Cover, extents: Sequence[str], opened_after: datetime, active_after: datetime
) -> Open | None:
    """An open disclosure of one of `extents` that covers a request: one read of one index."""
    asked = {
        **{name: getattr(cover, name) for name in _COVER},
        "extents": extents,
        "opened_after": opened_after,
        "active_after": active_after,
    }
    found = session.connection().execute(_FIND_OPEN, asked).first()
    return Open(*found) if found else None


def of_asker(session: Session, provider: str, patient_ref: str, session_ref: str) -> list[Seen]:
    """What was disclosed of a patient in one session, or under one grant: a line for each disclosure."""
    row = DisclosureRow
    columns = [getattr(row, name) for name in Seen.__dataclass_fields__]
    where = (row.provider == provider, row.patient_ref == patient_ref, row.session_ref == session_ref)
    return [Seen(*values) for values in session.execute(select(*columns).where(*where))]


def opened_by(session: Session, provider: str, patient_ref: str, session_ref: str) -> list[Opened]:
    """The disclosures of a patient in one session, or under one grant, newest first."""
    row = DisclosureRow
    columns = [getattr(row, name) for name in Opened.__dataclass_fields__]
    where = (row.provider == provider, row.patient_ref == patient_ref, row.session_ref == session_ref)
    ordered = select(*columns).where(*where).order_by(row.opened_at.desc(), row.id)
    return [Opened(*values) for values in session.execute(ordered)]


def intents(session: Session, provider: str, patient_ref: str, session_ref: str) -> dict[str, Intent]:
    """The rows that the disclosures of `opened_by` were opened by, by the disclosures' ids."""
    row = AuditEventRow
    where = (row.provider == provider, row.session_ref == session_ref, row.kind == OPENED)
    found = session.execute(
        select(row.disclosure_id, row.at, row.request_id, row.detail).where(row.patient_ref == patient_ref, *where)
    )
    return {each.disclosure_id: Intent(each.at, each.request_id, each.detail) for each in found}


def report(session: Session, disclosure_id: str, counts: Counts, *, holders: int, active_at: datetime) -> bool:
    """Adds `counts`, and `holders` to the number of processes that hold it. False when it is no longer open."""
    row, active = DisclosureRow, literal(active_at, UtcDateTime())
    done = session.execute(
        update(row)
        .where(row.id == disclosure_id, row.closed_at.is_(None))
        .values(
            holders=row.holders + holders,
            instances=row.instances + counts.instances,
            bytes=row.bytes + counts.bytes,
            completed=row.completed + counts.completed,
            aborted=row.aborted + counts.aborted,
            last_at=case((row.last_at < active, active), else_=row.last_at),
        )
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", done).rowcount == 1


def endings(session: Session, idle_since: datetime, opened_before: datetime, limit: int) -> list[Ending]:
    """Disclosures whose time is up, locked until the transaction ends; another sweeper skips them."""
    row = DisclosureRow
    over = or_(row.last_at <= idle_since, and_(row.opened_at <= opened_before, row.holders == 0))
    columns = [getattr(row, name) for name in Ending.__dataclass_fields__]
    found = session.execute(
        select(*columns).where(row.closed_at.is_(None), over).limit(limit).with_for_update(skip_locked=True)
    )
    return [Ending(*values) for values in found]


def close(session: Session, disclosure_id: str, outcome: str, now: datetime) -> None:
    """Marks a disclosure that `endings` locked as closed."""
    session.execute(
        update(DisclosureRow)
        .where(DisclosureRow.id == disclosure_id)
        .values(closed_at=now, outcome=outcome)
        .execution_options(synchronize_session=False)
    )


_E: Final = AuditEventRow.__table__.c
_D: Final = DisclosureRow.__table__.c
_LAST_AT: Final = select(_E.at).order_by(_E.seq.desc()).limit(1)
_APPEND: Final = insert(AuditEventRow).returning(_E.seq)
_COVER: Final = tuple(Cover.__dataclass_fields__)
_FIND_OPEN: Final = (
    select(_D.id, _D.extent, _D.opened_at)
    .where(
        *(_D[name] == bindparam(name) for name in _COVER),
        _D.closed_at.is_(None),
        _D.extent.in_(bindparam("extents", expanding=True)),
        _D.opened_at > bindparam("opened_after"),
        _D.last_at > bindparam("active_after"),
    )
    .order_by(_D.opened_at.desc())
    .limit(1)
)
