"""The tables of developers: who they are, the sessions they work in, and how their apps' requests fared."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smartapp.db.base import Base
from smartapp.db.types import UtcDateTime


class DeveloperRow(Base):
    """Somebody who reads mail at an address: `address_ref` is its keyed hash, `sealed` the address.

    `asked` counts the links asked for since `asked_since`: our mail must not become somebody's nuisance.
    """

    __tablename__ = "developers"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    address_ref: Mapped[str] = mapped_column(String(64), unique=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    asked: Mapped[int] = mapped_column(Integer)
    asked_since: Mapped[datetime] = mapped_column(UtcDateTime)


class DeveloperSessionRow(Base):
    """A developer's browser, until it signs out or a limit passes."""

    __tablename__ = "developer_sessions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    cookie_ref: Mapped[str] = mapped_column(String(64), unique=True)
    developer_id: Mapped[str] = mapped_column(ForeignKey("developers.id"))
    last_seen: Mapped[datetime] = mapped_column(UtcDateTime)
    absolute_until: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class AppTraceRow(Base):
    """One request of an app, without anything that it sent: which door, how it ended, and why."""

    __tablename__ = "app_traces"
    __table_args__ = (
        Index("ix_app_traces_provider_client_id_seq", "provider", "client_id", "seq"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), Identity(always=True), primary_key=True
    )
    provider: Mapped[str] = mapped_column(String(64))
    client_id: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    door: Mapped[str] = mapped_column(String(16))
    error: Mapped[str] = mapped_column(String(64))
    why: Mapped[str] = mapped_column(String(64))
    request_id: Mapped[str] = mapped_column(String(64))
