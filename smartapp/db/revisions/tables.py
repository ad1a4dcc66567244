"""The table of what is published, and since when it is as it is."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from smartapp.db.base import Base
from smartapp.db.types import UtcDateTime


class RevisionRow(Base):
    """`digest` is SHA-256 of what is published under `name`; `changed_at`, when it was first seen to be that."""

    __tablename__ = "revisions"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
