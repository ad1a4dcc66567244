"""The worklist. Private to `store`."""

from datetime import datetime

from sqlalchemy import Boolean, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smartapp.db.base import Base
from smartapp.db.types import UtcDateTime


class WorkItemRow(Base):
    """Something that staff has to put right, one row for each (provider, patient, study, kind).

    `ref` is the keyed hash of those four, `patient_ref` that of the patient; `sealed_patient` says under whose data key
    `sealed` (what disagrees) and `word` (what was said of it last) are. `mailed`: a letter to staff counted it.
    """

    __tablename__ = "work_items"
    __table_args__ = (Index("ix_work_items_provider_patient_ref", "provider", "patient_ref"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    ref: Mapped[str] = mapped_column(String(64), unique=True)
    provider: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(32))
    patient_ref: Mapped[str] = mapped_column(String(64))
    sealed_patient: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    facts_ref: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    how: Mapped[str] = mapped_column(String(16))
    word: Mapped[bytes | None] = mapped_column(LargeBinary)
    mailed: Mapped[bool] = mapped_column(Boolean)
    first_seen: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen: Mapped[datetime] = mapped_column(UtcDateTime)
    times_seen: Mapped[int] = mapped_column(Integer)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class WorkLetterRow(Base):
    """When a hospital's staff was last sent a letter about its items."""

    __tablename__ = "work_letters"

    provider: Mapped[str] = mapped_column(String(64), primary_key=True)
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
