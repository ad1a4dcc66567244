"""The tables of what we hand out: found by a keyed hash, never by the secret itself."""

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smartapp.db.base import Base
from smartapp.db.types import UtcDateTime


class ViewerTokenRow(Base):
    """A viewer's token: which context, and (sealed) which study."""

    __tablename__ = "viewer_tokens"

    token_ref: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_id: Mapped[str] = mapped_column(String(32))
    context_id: Mapped[str] = mapped_column(String(32))
    study: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class SingleUseRow(Base):
    """A value that counts once; taking it removes the row."""

    __tablename__ = "single_use"

    value_ref: Mapped[str] = mapped_column(String(64), primary_key=True)
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
