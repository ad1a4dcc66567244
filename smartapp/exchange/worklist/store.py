"""Queries over the worklist."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.orm import Session

from smartapp.db.upsert import upsert
from smartapp.exchange.worklist.tables import WorkItemRow, WorkLetterRow

_SETTLED: Final = "settled"
_OPEN: Final = "open"
_CORRECTED: Final = "corrected"


@dataclass(frozen=True)
class StoredItem:
    """An item as it is stored."""

    id: str
    ref: str
    provider: str
    kind: str
    patient_ref: str
    sealed_patient: bytes
    sealed: bytes
    facts_ref: str
    state: str
    how: str
    word: bytes | None
    mailed: bool
    first_seen: datetime
    last_seen: datetime
    times_seen: int
    settled_at: datetime | None


def add_unless_present(session: Session, item: StoredItem) -> bool:
    """Stores a new item; False, and nothing done, when there is one with its `ref`."""
    statement = upsert(session, WorkItemRow).values(**vars(item))
    added = statement.on_conflict_do_nothing(index_elements=["ref"]).returning(WorkItemRow.id)
    return session.scalar(added) is not None


def by_ref(session: Session, ref: str) -> StoredItem | None:
    """The item with this `ref`, held until the caller's write ends."""
    return _one(session, WorkItemRow.ref == ref)


def held(session: Session, item_id: str) -> StoredItem | None:
    """The item with this id, held until the caller's write ends."""
    return _one(session, WorkItemRow.id == item_id)


def find(session: Session, item_id: str) -> StoredItem | None:
    """The item with this id."""
    row = session.execute(select(*_COLUMNS).where(WorkItemRow.id == item_id)).one_or_none()
    return StoredItem(*row) if row else None


def of_patient(session: Session, provider: str, patient_ref: str) -> list[StoredItem]:
    """A patient's items about which something still disagreed when they were last seen."""
    mine = (WorkItemRow.provider == provider, WorkItemRow.patient_ref == patient_ref, WorkItemRow.facts_ref != "")
    rows = session.execute(select(*_COLUMNS).where(*mine).order_by(WorkItemRow.ref))
    return [StoredItem(*row) for row in rows]


def listed(session: Session, provider: str | None, state: str | None) -> list[StoredItem]:
    """The items of a hospital (None: of all) in a state (None: in any), those that wait longest first."""
    asked = [WorkItemRow.provider == provider] if provider else []
    asked += [WorkItemRow.state == state] if state else []
    rows = session.execute(select(*_COLUMNS).where(*asked).order_by(WorkItemRow.first_seen, WorkItemRow.id))
    return [StoredItem(*row) for row in rows]


def change(session: Session, item_id: str, values: Mapping[str, Any]) -> None:
    """Gives an item, held by the caller, other values."""
    changed = update(WorkItemRow).where(WorkItemRow.id == item_id).values(**values)
    session.execute(changed.execution_options(synchronize_session=False))


def count_standing(session: Session, refs: Iterable[str]) -> int:
    """How many of these are with staff, or were left by them as they are."""
    theirs = (WorkItemRow.state != _SETTLED) | (WorkItemRow.how != _CORRECTED)
    return session.scalar(select(func.count()).where(WorkItemRow.ref.in_(list(refs)), theirs)) or 0


def count_open(session: Session, provider: str) -> int:
    """How many items of a hospital nobody has taken."""
    return session.scalar(select(func.count()).where(*_waiting(provider))) or 0


def has_news(session: Session, provider: str) -> bool:
    """Whether an item that nobody has taken was in no letter yet."""
    return session.scalar(select(WorkItemRow.id).where(*_waiting(provider), ~WorkItemRow.mailed).limit(1)) is not None


def may_write(session: Session, provider: str, before: datetime) -> bool:
    """Whether the last letter to a hospital's staff, if any, was sent before then."""
    sent = session.scalar(select(WorkLetterRow.sent_at).where(WorkLetterRow.provider == provider))
    return sent is None or sent <= before


def claim_letter(session: Session, provider: str, now: datetime, before: datetime) -> bool:
    """Marks the letter as sent now, and the items as told; False when another worker did since `before`.

    One statement decides it: of many who try at once, one gets it.
    """
    statement = upsert(session, WorkLetterRow).values(provider=provider, sent_at=now)
    claimed = statement.on_conflict_do_update(
        index_elements=["provider"], set_={"sent_at": now}, where=WorkLetterRow.sent_at <= before
    ).returning(WorkLetterRow.provider)
    if session.scalar(claimed) is None:
        return False
    told = update(WorkItemRow).where(*_waiting(provider)).values(mailed=True)
    session.execute(told.execution_options(synchronize_session=False))
    return True


def has_old(session: Session, before: datetime) -> bool:
    """Whether there is anything for `remove_old`."""
    return session.scalar(select(WorkItemRow.id).where(*_old(before)).limit(1)) is not None


def remove_old(session: Session, before: datetime) -> Mapping[str, int]:
    """Removes what was settled, and seen last, before then; how many of each hospital."""
    rows = session.execute(delete(WorkItemRow).where(*_old(before)).returning(WorkItemRow.provider))
    return Counter(cast("CursorResult[Any]", rows).scalars())


def _old(before: datetime) -> Sequence[Any]:
    return (WorkItemRow.settled_at < before, WorkItemRow.last_seen < before)


def _waiting(provider: str) -> Sequence[Any]:
    return (WorkItemRow.provider == provider, WorkItemRow.state == _OPEN)


def _one(session: Session, which: Any) -> StoredItem | None:
    row = session.execute(select(*_COLUMNS).where(which).with_for_update()).one_or_none()
    return StoredItem(*row) if row else None


_COLUMNS: Final = tuple(getattr(WorkItemRow, name) for name in StoredItem.__dataclass_fields__)
