"""The EHR's tokens, kept sealed. Private to `store`."""

from datetime import datetime

from sqlalchemy import Boolean, String
from sqlalchemy.orm import Mapped, mapped_column

from smartapp.db.base import Base
from smartapp.db.types import UtcDateTime


class EhrCredential(Base):
    """One launch's tokens; or, where the id begins with `sys-`, that a grant stands on backend services.

    `sealed` is null once they are dead; `sealed_patient` says under whose data key they are.

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


class SystemToken(Base):
    """The one token that a hospital gave us as a backend service. `sealed` is null when there is none.

    Until `not_before` nobody asks for another: `refused` says whether the EHR said no, or nothing. `version` and lease
    are as above.
    """

    __tablename__ = "ehr_system_tokens"

    provider: Mapped[str] = mapped_column(String(64), primary_key=True)
    sealed: Mapped[bytes | None]
    fetched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    not_before: Mapped[datetime | None] = mapped_column(UtcDateTime)
    refused: Mapped[bool] = mapped_column(Boolean)
    lease_owner: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int]
