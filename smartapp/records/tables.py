"""The study index, one sealed row a patient."""

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smartapp.db.base import Base
from smartapp.db.types import UtcDateTime


class StudyIndexRow(Base):
    """What is known of one patient's studies. `patient_ref` is a keyed hash; `sealed` needs the patient's data key."""

    __tablename__ = "study_index"

    provider: Mapped[str] = mapped_column(String(64), primary_key=True)
    patient_ref: Mapped[str] = mapped_column(String(64), primary_key=True)
    fetched_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
