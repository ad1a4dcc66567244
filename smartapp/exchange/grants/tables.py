"""What is still to be done about grants: Consents to write, dates to come. Private to `store`."""

from datetime import datetime

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from smartapp.db.base import Base
from smartapp.db.types import UtcDateTime


class ConsentWriteRow(Base):
    """The Consent of one grant at the EHR: how often it was asked for (`asked`), and up to which asking it was written
    (`done`). While the one is behind the other, `credential_id` is kept for the writing; empty: it waits until the
    person signs in again.
    """

    __tablename__ = "consent_writes"

    grant_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    provider: Mapped[str] = mapped_column(String(64))
    person_id: Mapped[str] = mapped_column(String(32), index=True)
    credential_id: Mapped[str] = mapped_column(String(64), index=True)
    asked: Mapped[int] = mapped_column(Integer)
    done: Mapped[int] = mapped_column(Integer)


class DateRow(Base):
    """A day on which something is to be done about a grant."""

    __tablename__ = "grant_dates"

    grant_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
