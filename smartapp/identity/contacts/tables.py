"""The table of the addresses that alerts go to."""

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smartapp.db.base import Base
from smartapp.db.types import UtcDateTime


class ContactRow(Base):
    """A person's address for alerts, once they have shown that it is theirs; until then `sealed` is empty.

    `asked` counts the codes asked for since `asked_since`: our mail must not become somebody's nuisance.
    """

    __tablename__ = "contacts"

    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    language: Mapped[str] = mapped_column(String(8))
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    asked: Mapped[int] = mapped_column(Integer)
    asked_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
