"""Queries over kept credentials. Every change says which version it changes: two workers cannot both win."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from smartapp.db.upsert import upsert
from smartapp.launch.tables import EhrCredential, SystemToken


@dataclass(frozen=True)
class Kept:
    """A credential as stored; `sealed` is None once it is dead. Times are UTC."""

    id: str
    provider: str
    sealed_patient: bytes
    sealed: bytes | None
    scope: str
    expires_at: datetime
    created_at: datetime
    refreshed_at: datetime | None
    not_before: datetime | None
    version: int


@dataclass(frozen=True)
class Held:
    """What is held of a hospital's backend services; `sealed` is None when there is no token. Times are UTC."""

    provider: str
    sealed: bytes | None = None
    fetched_at: datetime | None = None
    expires_at: datetime | None = None
    not_before: datetime | None = None
    refused: bool = False
    version: int = 0


def add(session: Session, kept: Kept) -> None:
    """Stores a new credential."""
    session.add(EhrCredential(**vars(kept), lease_owner=None, lease_until=None))


def find(session: Session, credential_id: str) -> Kept | None:
    """The credential, or None."""
    row = session.scalar(select(EhrCredential).where(EhrCredential.id == credential_id))
    return _kept(row) if row else None


def lease(session: Session, kept: Kept, *, owner: str, now: datetime, until: datetime) -> bool:
    """Claims the right to refresh this version until `until`; False when another worker has it, or it is past."""
    statement = (
        update(EhrCredential)
        .where(EhrCredential.id == kept.id, EhrCredential.version == kept.version, EhrCredential.sealed.is_not(None))
        .where(or_(EhrCredential.lease_until.is_(None), EhrCredential.lease_until <= now))
        .values(lease_owner=owner, lease_until=until)
        .returning(EhrCredential.id)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(statement) is not None


def release(session: Session, kept: Kept, *, owner: str, not_before: datetime) -> None:
    """Gives the lease back without new tokens; nobody asks the EHR again before `not_before`."""
    session.execute(
        update(EhrCredential)
        .where(EhrCredential.id == kept.id, EhrCredential.lease_owner == owner)
        .values(lease_owner=None, lease_until=None, not_before=not_before)
        .execution_options(synchronize_session=False)
    )


def expire(session: Session, kept: Kept) -> None:
    """Marks this version's access token as over; whoever is fetching the next one is not disturbed."""
    session.execute(
        update(EhrCredential)
        .where(EhrCredential.id == kept.id, EhrCredential.version == kept.version)
        .values(expires_at=kept.created_at)
        .execution_options(synchronize_session=False)
    )


def replace(session: Session, kept: Kept, values: Mapping[str, Any]) -> bool:
    """Moves the credential to its next version with these values and frees the lease; False when it has changed."""
    statement = (
        update(EhrCredential)
        .where(EhrCredential.id == kept.id, EhrCredential.version == kept.version)
        .values(**values, version=kept.version + 1, lease_owner=None, lease_until=None, not_before=None)
        .returning(EhrCredential.id)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(statement) is not None


def used(session: Session, kept: Kept, since: datetime) -> bool:
    """Notes that a credential on backend services went with the token fetched at `since`; False if that is noted."""
    row = EhrCredential
    statement = (
        update(row)
        .where(row.id == kept.id, row.sealed.is_not(None))
        .where(or_(row.refreshed_at.is_(None), row.refreshed_at < since))
        .values(refreshed_at=since)
        .returning(row.id)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(statement) is not None


def remove(session: Session, credential_id: str) -> Kept | None:
    """Deletes the credential and says what it was; None when there was none."""
    statement = delete(EhrCredential).where(EhrCredential.id == credential_id).returning(EhrCredential)
    row = session.scalar(statement, execution_options={"synchronize_session": False})
    return _kept(row) if row else None


def system(session: Session, provider: str) -> Held:
    """What is held of the provider's backend services."""
    row = session.scalar(select(SystemToken).where(SystemToken.provider == provider))
    return Held(**{name: getattr(row, name) for name in Held.__dataclass_fields__}) if row else Held(provider)


def lease_system(session: Session, held: Held, *, owner: str, now: datetime, until: datetime) -> bool:
    """Claims the right to fetch what follows this version; False when another worker has it, or it is past."""
    session.execute(
        upsert(session, SystemToken).values(**vars(held)).on_conflict_do_nothing(index_elements=["provider"])
    )
    free = or_(SystemToken.lease_until.is_(None), SystemToken.lease_until <= now)
    return _system(session, held, {"lease_owner": owner, "lease_until": until}, free)


def release_system(session: Session, held: Held, *, owner: str, not_before: datetime) -> None:
    """Gives the lease back without a token; nobody asks again before `not_before`. What is there stays."""
    values = {"lease_owner": None, "lease_until": None, "not_before": not_before, "refused": False}
    _system(session, held, values, SystemToken.lease_owner == owner)


def replace_system(session: Session, held: Held, values: Mapping[str, Any]) -> bool:
    """Moves on to the next version with these values and frees the lease; False when it has changed meanwhile."""
    fresh = {"sealed": None, "fetched_at": None, "expires_at": None, "not_before": None, "refused": False}
    moved = {"version": held.version + 1, "lease_owner": None, "lease_until": None}
    return _system(session, held, {**fresh, **values, **moved}, SystemToken.provider == held.provider)


def _system(session: Session, held: Held, values: Mapping[str, Any], where: ColumnElement[bool]) -> bool:
    statement = (
        update(SystemToken)
        .where(SystemToken.provider == held.provider, SystemToken.version == held.version, where)
        .values(**values)
        .returning(SystemToken.provider)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(statement) is not None


def _kept(row: EhrCredential) -> Kept:
    return Kept(**{name: getattr(row, name) for name in Kept.__dataclass_fields__})
