"""Queries over the patients' data keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from smartapp.db.tables import DataKeyRow
from smartapp.db.upsert import upsert


@dataclass(frozen=True)
class WrappedKey:
    """A data key as it is stored."""

    patient_ref: str
    key_id: str
    kek_id: str
    wrapped: bytes


def find(session: Session, patient_ref: str) -> WrappedKey | None:
    """The stored key of a patient, if there is one."""
    row = session.execute(select(*_COLUMNS).where(DataKeyRow.patient_ref == patient_ref)).one_or_none()
    return WrappedKey(*row) if row else None


def add_unless_present(session: Session, key: WrappedKey, created_at: datetime) -> None:
    """Store `key`, unless another worker was first; `find` afterwards tells whose it is."""
    values = {**vars(key), "created_at": created_at}
    session.execute(upsert(session, DataKeyRow).values(values).on_conflict_do_nothing(index_elements=["patient_ref"]))


def remove(session: Session, patient_ref: str) -> None:
    """Forget a patient's key: what was sealed with it is noise from now on."""
    session.execute(delete(DataKeyRow).where(DataKeyRow.patient_ref == patient_ref))


def not_wrapped_by(session: Session, kek_id: str, limit: int) -> Sequence[WrappedKey]:
    """Some of the keys that another key-encryption key wraps."""
    rows = session.execute(select(*_COLUMNS).where(DataKeyRow.kek_id != kek_id).limit(limit))
    return [WrappedKey(*row) for row in rows]


def rewrap(session: Session, old: WrappedKey, new: WrappedKey) -> None:
    """Replace the wrapping, if the key is still the one that was read."""
    same = (DataKeyRow.key_id == old.key_id) & (DataKeyRow.kek_id == old.kek_id)
    session.execute(update(DataKeyRow).where(same).values(kek_id=new.kek_id, wrapped=new.wrapped))


_COLUMNS = (DataKeyRow.patient_ref, DataKeyRow.key_id, DataKeyRow.kek_id, DataKeyRow.wrapped)
