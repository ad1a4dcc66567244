"""The EHR's tokens, kept sealed. Private to `store`."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from smartapp.db.base import Base
from smartapp.db.types import UtcDateTime


class EhrCredential(Base):
    """One launch's tokens. `sealed` is null once they are dead; `sealed_patient` says under whose data key they are.

    `version` counts the changes of `sealed`; the lease names the one worker that may ask the EHR for the next ones.
    """

    __tablename__ = "ehr_credentials"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    provider: Mapped[str] = mapped_column(String(64))
    sealed_patient: Mapped[bytes]
    sealed: Mapped[bytes | None]
    scope: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    refreshed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    not_before: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_owner: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int]
