"""The table of the patients' data keys."""

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smartapp.db.base import Base
from smartapp.db.types import UtcDateTime


class DataKeyRow(Base):
    """One patient's key, wrapped by the key-encryption key `kek_id`. `patient_ref` is a keyed hash: no name, no id."""

    __tablename__ = "data_keys"

    patient_ref: Mapped[str] = mapped_column(String(64), primary_key=True)
    key_id: Mapped[str] = mapped_column(String(64), unique=True)
    kek_id: Mapped[str] = mapped_column(String(32), index=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
