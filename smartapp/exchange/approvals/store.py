"""Queries over requests that wait. Each change is one statement: of many who try at once, one succeeds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, Update, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from smartapp.exchange.approvals.tables import ApprovalRow


@dataclass(frozen=True)
class Stored:
    """A request as it is stored; `sealed` is empty once it was answered."""

    handle_ref: str
    provider: str
    sealed: bytes
    holder: str
    offline_tried: bool
    answered_at: datetime | None
    expires_at: datetime


def add(session: Session, stored: Stored, now: datetime) -> None:
    """A new request; those that are over are cleared away."""
    session.execute(delete(ApprovalRow).where(ApprovalRow.expires_at <= now))
    session.execute(insert(ApprovalRow).values(**vars(stored)))


def find(session: Session, handle_ref: str, now: datetime) -> Stored | None:
    """The request, answered or not, unless it is over."""
    where = (ApprovalRow.handle_ref == handle_ref, ApprovalRow.expires_at > now)
    row = session.execute(select(*_COLUMNS).where(*where)).one_or_none()
    return Stored(*row) if row else None


def hold(session: Session, handle_ref: str, session_id: str, now: datetime) -> bool:
    """Whether the request is this browser session's: now, or from before."""
    mine = or_(ApprovalRow.holder == "", ApprovalRow.holder == session_id)
    return _one(session, _waiting(handle_ref, now).where(mine).values(holder=session_id))


def pass_on(session: Session, handle_ref: str, old: str, new: str, now: datetime) -> None:
    """The request goes over from one browser session to the one that took its place."""
    _one(session, _waiting(handle_ref, now).where(ApprovalRow.holder == old).values(holder=new))


def mark_tried(session: Session, handle_ref: str, session_id: str, now: datetime) -> bool:
    """Remembers that this holder was sent to the EHR for a lasting credential."""
    return _one(session, _waiting(handle_ref, now).where(ApprovalRow.holder == session_id).values(offline_tried=True))


def answer(session: Session, handle_ref: str, session_id: str, now: datetime) -> bool:
    """Marks the request as answered by its holder, once."""
    mine = _waiting(handle_ref, now).where(ApprovalRow.holder == session_id)
    return _one(session, mine.values(answered_at=now, sealed=b""))


def _waiting(handle_ref: str, now: datetime) -> Update:
    row = ApprovalRow
    found = update(row).where(row.handle_ref == handle_ref, row.answered_at.is_(None), row.expires_at > now)
    return found.execution_options(synchronize_session=False)


def _one(session: Session, change: Update) -> bool:
    return cast("CursorResult[Any]", session.execute(change)).rowcount == 1


_COLUMNS: Final = tuple(getattr(ApprovalRow, name) for name in Stored.__dataclass_fields__)
