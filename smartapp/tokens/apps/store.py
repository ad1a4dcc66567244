"""Queries over codes, families, their tokens, and assertions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, Select, Table, bindparam, delete, insert, select, true, update
from sqlalchemy.orm import Session

from smartapp.db.look import Look, Reader
from smartapp.db.upsert import upsert
from smartapp.tokens.apps.tables import AccessTokenRow, AssertionRow, CodeRow, FamilyRow, RefreshTokenRow

_BATCH: Final = 500
"""How many rows of each kind are cleared away in one transaction."""


@dataclass(frozen=True)
class StoredCode:
    """A code as it is stored."""

    code_ref: str
    grant_id: str
    family_id: str
    sealed: bytes
    expires_at: datetime
    used_at: datetime | None
    kept_until: datetime


@dataclass(frozen=True)
class StoredFamily:
    """A family as it is stored."""

    id: str
    provider: str
    client_id: str
    grant_id: str
    grant_version: int
    session_id: str | None
    refreshable: bool
    number: int
    sealed: bytes
    rotated_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_why: str


@dataclass(frozen=True)
class StoredAccess:
    """An access token as it is stored."""

    token_ref: str
    client_id: str
    family_id: str | None
    sealed: bytes
    issued_at: datetime
    expires_at: datetime


def add_code(session: Session, code: StoredCode) -> None:
    """A new code."""
    session.connection().execute(_ADD_CODE, vars(code))


def claim_code(session: Session, code_ref: str, now: datetime) -> StoredCode | None:
    """Marks a code as used and gives it to exactly one caller, ever; the others wait for that one to be done."""
    row = session.connection().execute(_CLAIM_CODE, {"ref": code_ref, "now": now}).one_or_none()
    return StoredCode(*row) if row else None


def code(reader: Reader, code_ref: str) -> StoredCode | None:
    """The code, used or not."""
    row = _CODE_BY_REF.at(reader, code_ref=code_ref)
    return StoredCode(*row) if row else None


def keep_code(session: Session, code_ref: str, until: datetime) -> None:
    """A used code stays as long as what it bought."""
    session.connection().execute(_KEEP_CODE, {"ref": code_ref, "until": until})


def burn_codes(session: Session, grant_id: str, now: datetime) -> None:
    """The codes of a grant that nobody has used buy nothing any more."""
    burned = update(CodeRow).where(CodeRow.grant_id == grant_id, CodeRow.used_at.is_(None)).values(used_at=now)
    session.execute(burned.execution_options(synchronize_session=False))


def add_family(session: Session, family: StoredFamily) -> None:
    """A new family."""
    session.connection().execute(_ADD_FAMILY, vars(family))


def family(reader: Reader, family_id: str) -> StoredFamily | None:
    """The family, over or not."""
    row = _FAMILY_BY_ID.at(reader, family_id=family_id)
    return StoredFamily(*row) if row else None


def locked_family(session: Session, family_id: str) -> StoredFamily | None:
    """As `family`, for the caller alone until its transaction ends (SQLite has one writer anyway)."""
    row = _FAMILY_LOCKED.at(session, family_id=family_id)
    return StoredFamily(*row) if row else None


def rotate(session: Session, family_id: str, number: int, now: datetime) -> bool:
    """Moves a family from refresh token `number` to the next; False when somebody else did, or it has ended."""
    return _changed(session.connection().execute(_ROTATE, {"family_id": family_id, "was": number, "now": now}))


def end_family(session: Session, family_id: str, now: datetime, why: str) -> bool:
    """Ends a family with all its tokens; False when it had ended, or never was."""
    return _end(session, now, why, FamilyRow.id == family_id) == 1


def end_of_grant(session: Session, grant_id: str, now: datetime, why: str) -> int:
    """Ends all families of a grant; how many."""
    return _end(session, now, why, FamilyRow.grant_id == grant_id)


def end_all(session: Session, now: datetime, why: str) -> None:
    """Ends all families, burns all codes, and removes the access tokens that stand in no family."""
    _end(session, now, why, true())
    burned = update(CodeRow).where(CodeRow.used_at.is_(None)).values(used_at=now)
    session.execute(burned.execution_options(synchronize_session=False))
    session.execute(_quiet_delete(AccessTokenRow).where(AccessTokenRow.family_id.is_(None)))


def end_of_session(session: Session, session_id: str, now: datetime, why: str) -> int:
    """Ends the families that live in a browser session; how many."""
    return _end(session, now, why, FamilyRow.session_id == session_id)


def add_refresh(session: Session, token_ref: str, family_id: str, number: int) -> None:
    """A refresh token that is about to be handed out."""
    session.connection().execute(_ADD_REFRESH, {"token_ref": token_ref, "family_id": family_id, "number": number})


def refresh(reader: Reader, token_ref: str) -> tuple[str, int] | None:
    """The family and number of a refresh token, spent or not."""
    row = _REFRESH.at(reader, token_ref=token_ref)
    return (row[0], row[1]) if row else None


def add_access(session: Session, token: StoredAccess) -> None:
    """A new access token."""
    session.connection().execute(_ADD_ACCESS, vars(token))


def access(reader: Reader, token_ref: str) -> StoredAccess | None:
    """The access token with this hash; it may be over."""
    row = _ACCESS.at(reader, token_ref=token_ref)
    return StoredAccess(*row) if row else None


def remove_access(session: Session, token_ref: str) -> bool:
    """An access token that counts no more; False when it was gone."""
    return _changed(session.execute(_quiet_delete(AccessTokenRow).where(AccessTokenRow.token_ref == token_ref)))


def first_use(session: Session, jti_ref: str, until: datetime, now: datetime) -> bool:
    """Keeps the hash of an assertion's id; False when it is kept already. Of many at once, one is the first."""
    values = {"jti_ref": jti_ref, "kept_until": until}
    first = upsert(session, AssertionRow).values(values)
    again = first.on_conflict_do_update(
        index_elements=["jti_ref"], set_={"kept_until": until}, where=AssertionRow.kept_until <= now
    )
    return session.execute(again.returning(AssertionRow.jti_ref)).first() is not None


def clear(session: Session, now: datetime) -> bool:
    """Removes some of what is over, a family with all its tokens; whether there may be more."""
    over = select(FamilyRow.id).where(FamilyRow.expires_at <= now).limit(_BATCH).with_for_update(skip_locked=True)
    ids = list(session.scalars(over))
    if ids:
        session.execute(_quiet_delete(RefreshTokenRow).where(RefreshTokenRow.family_id.in_(ids)))
        session.execute(_quiet_delete(AccessTokenRow).where(AccessTokenRow.family_id.in_(ids)))
        session.execute(_quiet_delete(FamilyRow).where(FamilyRow.id.in_(ids)))
    counts = (
        _clear(
            session, select(AccessTokenRow.token_ref).where(AccessTokenRow.expires_at <= now), AccessTokenRow.token_ref
        ),
        _clear(session, select(CodeRow.code_ref).where(CodeRow.kept_until <= now), CodeRow.code_ref),
        _clear(session, select(AssertionRow.jti_ref).where(AssertionRow.kept_until <= now), AssertionRow.jti_ref),
    )
    return max(len(ids), *counts) == _BATCH


def _end(session: Session, now: datetime, why: str, which: Any) -> int:
    ended = update(FamilyRow).where(which, FamilyRow.ended_at.is_(None)).values(ended_at=now, ended_why=why)
    done = session.execute(ended.execution_options(synchronize_session=False))
    return cast("CursorResult[Any]", done).rowcount


def _clear(session: Session, over: Select[str], key: Any) -> int:
    """Rows that another worker is just clearing away are left to it: nobody waits for this."""
    some = over.limit(_BATCH).with_for_update(skip_locked=True).scalar_subquery()
    done = session.execute(_quiet_delete(key.class_).where(key.in_(some)))
    return cast("CursorResult[Any]", done).rowcount


def _quiet_delete(table: Any) -> Any:
    return delete(table).execution_options(synchronize_session=False)


def _changed(result: Any) -> bool:
    return cast("CursorResult[Any]", result).rowcount == 1


_C: Final = CodeRow.__table__.c
_CODE: Final = tuple(_C[name] for name in StoredCode.__dataclass_fields__)
_CODE_BY_REF: Final = Look(select(*_CODE).where(_C.code_ref == bindparam("code_ref")))
_CODES: Final = cast("Table", CodeRow.__table__)
_ADD_CODE: Final = insert(_CODES)
_CLAIM_CODE: Final = (
    update(_CODES)
    .where(_C.code_ref == bindparam("ref"), _C.used_at.is_(None))
    .values(used_at=bindparam("now"))
    .returning(*_CODE)
)
_KEEP_CODE: Final = update(_CODES).where(_C.code_ref == bindparam("ref")).values(kept_until=bindparam("until"))
_F: Final = FamilyRow.__table__.c
_FAMILIES: Final = cast("Table", FamilyRow.__table__)
_ADD_FAMILY: Final = insert(_FAMILIES)
_ROTATE: Final = (
    update(_FAMILIES)
    .where(_F.id == bindparam("family_id"), _F.number == bindparam("was"), _F.ended_at.is_(None))
    .values(number=_F.number + 1, rotated_at=bindparam("now"))
)
_FAMILY: Final = select(*(_F[name] for name in StoredFamily.__dataclass_fields__)).where(
    _F.id == bindparam("family_id")
)
_FAMILY_BY_ID: Final = Look(_FAMILY)
_FAMILY_LOCKED: Final = Look(_FAMILY.with_for_update())
_R: Final = RefreshTokenRow.__table__.c
_REFRESH: Final = Look(select(_R.family_id, _R.number).where(_R.token_ref == bindparam("token_ref")))
_T: Final = AccessTokenRow.__table__.c
_ACCESS: Final = Look(
    select(*(_T[name] for name in StoredAccess.__dataclass_fields__)).where(_T.token_ref == bindparam("token_ref"))
)
_ADD_REFRESH: Final = insert(cast("Table", RefreshTokenRow.__table__))
_ADD_ACCESS: Final = insert(cast("Table", AccessTokenRow.__table__))
