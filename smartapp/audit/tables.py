"""The audit trail's tables. Small rows: what is sensitive is hashed with a key or sealed."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Connection,
    Identity,
    Index,
    Integer,
    LargeBinary,
    String,
    event,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from smartapp.audit.ddl import create_triggers
from smartapp.db.base import Base
from smartapp.db.types import UtcDateTime


class AuditEventRow(Base):
    """One event. Never updated, never deleted (see `ddl`).

    `seq` grows in the order of commits. `at` is the wall clock; `skewed` marks a row whose clock had gone back behind
    the row before. `*_ref` are keyed hashes, empty when there is none.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        CheckConstraint("seq > 0", name="seq"),
        Index("ix_audit_events_patient_ref_seq", "patient_ref", "seq"),
        # An intent and an outcome for each disclosure, and not two of either.
        Index(
            "uq_audit_events_disclosure_id_kind",
            "disclosure_id",
            "kind",
            unique=True,
            sqlite_where=text("disclosure_id <> ''"),
            postgresql_where=text("disclosure_id <> ''"),
        ),
        {"sqlite_autoincrement": True},  # a seq is never given twice
    )

    seq: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), Identity(always=True), primary_key=True
    )
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    skewed: Mapped[bool]
    kind: Mapped[str] = mapped_column(String(64))
    severity: Mapped[str] = mapped_column(String(8))
    provider: Mapped[str] = mapped_column(String(64))
    patient_ref: Mapped[str] = mapped_column(String(32))
    principal_ref: Mapped[str] = mapped_column(String(32))
    session_ref: Mapped[str] = mapped_column(String(32))
    disclosure_id: Mapped[str] = mapped_column(String(32))
    request_id: Mapped[str] = mapped_column(String(64))
    detail: Mapped[bytes] = mapped_column(LargeBinary)


def _guard(_table: object, connection: Connection, **_facts: object) -> None:
    for statement in create_triggers(connection.dialect.name):
        connection.exec_driver_sql(statement)


event.listen(AuditEventRow.__table__, "after_create", _guard)


class DisclosureRow(Base):
    """The state of one disclosure: an ordinary row, since counters change. What is proof stands in `audit_events`.

    `holders` counts the processes that still have something to report; `completed` and `aborted` the answers that
    ended so.
    """

    __tablename__ = "disclosures"
    __table_args__ = (
        Index("ix_disclosures_session_ref_patient_ref_study_ref", "session_ref", "patient_ref", "study_ref"),
        Index(
            "ix_disclosures_last_at",
            "last_at",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    provider: Mapped[str] = mapped_column(String(64))
    patient_ref: Mapped[str] = mapped_column(String(32))
    principal_ref: Mapped[str] = mapped_column(String(32))
    session_ref: Mapped[str] = mapped_column(String(32))
    study_ref: Mapped[str] = mapped_column(String(32))
    authority: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[str] = mapped_column(String(16))
    extent: Mapped[str] = mapped_column(String(8))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str] = mapped_column(String(8), default="")
    holders: Mapped[int] = mapped_column(Integer, default=0)
    completed: Mapped[int] = mapped_column(Integer, default=0)
    aborted: Mapped[int] = mapped_column(Integer, default=0)
    instances: Mapped[int] = mapped_column(BigInteger, default=0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
