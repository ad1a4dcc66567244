"""Queries over viewer tokens and single-use values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.orm import Session

from smartapp.db.look import Look, Reader
from smartapp.tokens.tables import SingleUseRow, ViewerTokenRow


@dataclass(frozen=True)
class StoredToken:
    """A viewer token as it is stored."""

    token_ref: str
    session_id: str
    context_id: str
    study: bytes
    expires_at: datetime


def add_token(session: Session, token: StoredToken, now: datetime) -> None:
    """Stores a token, and clears away those that are over."""
    session.execute(delete(ViewerTokenRow).where(ViewerTokenRow.expires_at <= now))
    session.execute(insert(ViewerTokenRow).values(**vars(token)))


def token(reader: Reader, token_ref: str) -> StoredToken | None:
    """The token with this hash; it may be over."""
    row = _TOKEN.at(reader, token_ref=token_ref)
    return StoredToken(*row) if row else None


def put(session: Session, value_ref: str, payload: bytes, expires_at: datetime, now: datetime) -> None:
    """Stores a value, and clears away those that are over. The primary key refuses one that is there already."""
    session.execute(delete(SingleUseRow).where(SingleUseRow.expires_at <= now))
    session.execute(insert(SingleUseRow).values(value_ref=value_ref, payload=payload, expires_at=expires_at))


def forget_all(session: Session) -> None:
    """Removes every value."""
    session.execute(delete(SingleUseRow).execution_options(synchronize_session=False))


def take(session: Session, value_ref: str, now: datetime) -> bytes | None:
    """Removes a value and gives its payload, if it was there and not over. Of many at once, one gets it."""
    gone = (
        delete(SingleUseRow)
        .where(SingleUseRow.value_ref == value_ref, SingleUseRow.expires_at > now)
        .returning(SingleUseRow.payload)
        .execution_options(synchronize_session=False)
    )
    return session.execute(gone).scalar_one_or_none()


_T: Final = ViewerTokenRow.__table__.c
_TOKEN: Final = Look(
    select(*(_T[name] for name in StoredToken.__dataclass_fields__)).where(_T.token_ref == bindparam("token_ref"))
)
