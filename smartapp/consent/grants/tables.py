"""The tables of grants and of their history."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from smartapp.db.base import Base
from smartapp.db.types import UtcDateTime

_OPEN = text("state NOT IN ('ended', 'expired')")


class GrantRow(Base):
    """A grant in its newest version. `sealed` holds its terms and who granted, under the patient's data key;
    `patient_ref` is a keyed hash, `sealed_patient` the id behind it. A grant that is over stays, as history.
    """

    __tablename__ = "grants"
    __table_args__ = (
        # Two approvals at once give one grant.
        Index(
            "uq_grants_open",
            "provider",
            "client_id",
            "patient_ref",
            "person_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    provider: Mapped[str] = mapped_column(String(64))
    client_id: Mapped[str] = mapped_column(String(64), index=True)
    patient_ref: Mapped[str] = mapped_column(String(64), index=True)
    sealed_patient: Mapped[bytes] = mapped_column(LargeBinary)
    person_id: Mapped[str] = mapped_column(String(32), index=True)
    granted_by: Mapped[str] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(16))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    credential_id: Mapped[str] = mapped_column(String(64), index=True)
    session_id: Mapped[str | None] = mapped_column(String(32), index=True)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    approved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class GrantEventRow(Base):
    """One line of a grant's history. `sealed` is what the grant's was in that version, where it gave new terms."""

    __tablename__ = "grant_events"

    seq: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), Identity(always=True), primary_key=True
    )
    grant_id: Mapped[str] = mapped_column(ForeignKey("grants.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(Integer)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
