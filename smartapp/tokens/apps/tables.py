"""The tables of what apps are handed: found by keyed hashes, never by the secrets themselves."""

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from smartapp.db.base import Base
from smartapp.db.types import UtcDateTime


class CodeRow(Base):
    """An authorization code. `family_id` is drawn with it, so that a code shown twice names what it had bought.

    A used one is kept until `kept_until`: as long as anything that it bought can live.
    """

    __tablename__ = "app_codes"

    code_ref: Mapped[str] = mapped_column(String(64), primary_key=True)
    grant_id: Mapped[str] = mapped_column(String(32), index=True)
    family_id: Mapped[str] = mapped_column(String(32))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    kept_until: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class FamilyRow(Base):
    """A line of tokens from one code. `number` is that of the newest refresh token, made at `rotated_at`."""

    __tablename__ = "app_families"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    provider: Mapped[str] = mapped_column(String(64))
    client_id: Mapped[str] = mapped_column(String(64))
    grant_id: Mapped[str] = mapped_column(String(32), index=True)
    grant_version: Mapped[int] = mapped_column(Integer)
    session_id: Mapped[str | None] = mapped_column(String(32), index=True)
    refreshable: Mapped[bool]
    number: Mapped[int] = mapped_column(Integer)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    rotated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_why: Mapped[str] = mapped_column(String(32))


class RefreshTokenRow(Base):
    """A refresh token that was handed out, spent or not. Its number is its place in the family."""

    __tablename__ = "app_refresh_tokens"

    token_ref: Mapped[str] = mapped_column(String(64), primary_key=True)
    family_id: Mapped[str] = mapped_column(ForeignKey("app_families.id"), index=True)
    number: Mapped[int] = mapped_column(Integer)


class AccessTokenRow(Base):
    """An access token. `family_id` is None for a backend client's, which stands for no patient."""

    __tablename__ = "app_access_tokens"

    token_ref: Mapped[str] = mapped_column(String(64), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(64))
    family_id: Mapped[str | None] = mapped_column(ForeignKey("app_families.id"), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class AssertionRow(Base):
    """The `jti` of a client assertion that was used, until no clock of ours can take that assertion for a live one."""

    __tablename__ = "app_assertions"

    jti_ref: Mapped[str] = mapped_column(String(64), primary_key=True)
    kept_until: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
