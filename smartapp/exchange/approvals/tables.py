"""Requests of apps that wait for a person's word. Private to `store`."""

from datetime import datetime

from sqlalchemy import Boolean, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smartapp.db.base import Base
from smartapp.db.types import UtcDateTime


class ApprovalRow(Base):
    """One request, found by the keyed hash of its handle. `holder` is the browser session that it was shown to first.

    A row that was answered stays until its time is over, without what it held: so a second answer is told apart from
    a request that is not known.
    """

    __tablename__ = "approvals"

    handle_ref: Mapped[str] = mapped_column(String(64), primary_key=True)
    provider: Mapped[str] = mapped_column(String(64))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    holder: Mapped[str] = mapped_column(String(32))
    offline_tried: Mapped[bool] = mapped_column(Boolean)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
