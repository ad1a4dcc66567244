"""The tables of registered apps."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smartapp.db.base import Base
from smartapp.db.types import UtcDateTime


class AppRow(Base):
    """A registration. `said` is its metadata as JSON; `*_ref` are keyed hashes, empty when there is none."""

    __tablename__ = "apps"

    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    provider: Mapped[str] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(16))
    said: Mapped[str] = mapped_column(String)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ground: Mapped[str] = mapped_column(String)
    offered: Mapped[str] = mapped_column(String)
    secret_ref: Mapped[str] = mapped_column(String(64))
    registration_ref: Mapped[str] = mapped_column(String(64), index=True)
    developer_id: Mapped[str] = mapped_column(String(64), index=True)


class AppOriginRow(Base):
    """An origin that an app's redirect URIs name: every answer to a browser elsewhere asks for it."""

    __tablename__ = "app_origins"
    __table_args__ = (Index("ix_app_origins_provider_origin", "provider", "origin"),)

    client_id: Mapped[str] = mapped_column(ForeignKey("apps.client_id"), primary_key=True)
    origin: Mapped[str] = mapped_column(String(300), primary_key=True)
    provider: Mapped[str] = mapped_column(String(64))


class AppLogoRow(Base):
    """The picture that was fetched from `uri`, drawn anew; empty where nothing usable was found there."""

    __tablename__ = "app_logos"

    client_id: Mapped[str] = mapped_column(ForeignKey("apps.client_id"), primary_key=True)
    uri: Mapped[str] = mapped_column(String(1000))
    png: Mapped[bytes] = mapped_column(LargeBinary)
    tried_at: Mapped[datetime] = mapped_column(UtcDateTime)
