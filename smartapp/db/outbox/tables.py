"""The table of what is still to be done."""

from datetime import datetime

from sqlalchemy import Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smartapp.db.base import Base
from smartapp.db.types import UtcDateTime


class OutboxRow(Base):
    """One thing to do, until it is done: then the row is gone. `sealed` says what, to whom.

    `due_at` is when the next attempt may begin; while somebody is at it (`claim` is not empty), when that claim lapses.
    A row with `dead_at` is tried no more, and is kept for a person to look at.
    """

    __tablename__ = "outbox"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    claim: Mapped[str] = mapped_column(String(32))
    attempts: Mapped[int] = mapped_column(Integer)
    fault: Mapped[str] = mapped_column(String(64))
    dead_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
