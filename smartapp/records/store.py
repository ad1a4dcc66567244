"""Queries over the study index."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from smartapp.db.upsert import upsert
from smartapp.records.tables import StudyIndexRow


@dataclass(frozen=True)
class SealedIndex:
    """A stored index: when it was fetched (UTC), and its sealed bytes."""

    fetched_at: datetime
    sealed: bytes


def find(session: Session, provider: str, patient_ref: str) -> SealedIndex | None:
    """The index of a patient, if one is stored."""
    columns = (StudyIndexRow.fetched_at, StudyIndexRow.sealed)
    of_patient = (StudyIndexRow.provider == provider) & (StudyIndexRow.patient_ref == patient_ref)
    row = session.execute(select(*columns).where(of_patient)).one_or_none()
    return SealedIndex(*row) if row else None


def put(session: Session, provider: str, patient_ref: str, index: SealedIndex) -> None:
    """Stores an index, unless one that was fetched later is there already."""
    values = {"fetched_at": index.fetched_at, "sealed": index.sealed}
    statement = upsert(session, StudyIndexRow).values(provider=provider, patient_ref=patient_ref, **values)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["provider", "patient_ref"],
            set_=values,
            where=StudyIndexRow.fetched_at < index.fetched_at,
        )
    )
