"""Queries over registered apps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from smartapp.db.look import Look, Reader
from smartapp.db.upsert import upsert
from smartapp.identity.apps.tables import AppLogoRow, AppOriginRow, AppRow

_DELETED: Final = "deleted"
_LONGEST_ORIGIN: Final = 300
"""Characters: a host name has 253 at most (RFC 1035 §2.3.4). No browser can come from a longer one."""
_REACHABLE: Final = ("pending", "active")


@dataclass(frozen=True)
class StoredApp:
    """A registration as it is stored."""

    client_id: str
    provider: str
    state: str
    said: str
    created_at: datetime
    decided_at: datetime | None
    ground: str
    offered: str
    secret_ref: str
    registration_ref: str
    developer_id: str


def add(session: Session, app: StoredApp, origins: Iterable[str]) -> None:
    """A new registration."""
    session.execute(insert(AppRow).values(**vars(app)))
    _add_origins(session, app.client_id, app.provider, origins)


def find(reader: Reader, provider: str, client_id: str) -> StoredApp | None:
    """The registration, deleted or not."""
    row = _FIND.at(reader, provider=provider, client_id=client_id)
    return StoredApp(*row) if row else None


def standing(reader: Reader, provider: str, client_id: str) -> tuple[str, str] | None:
    """The state of a registration and what it may ask for: for the checks that every request makes."""
    row = _STANDING.at(reader, provider=provider, client_id=client_id)
    return (row[0], row[1]) if row else None


def by_registration(session: Session, provider: str, registration_ref: str) -> StoredApp | None:
    """The registration that a registration token belongs to."""
    mine = (AppRow.provider == provider, AppRow.registration_ref == registration_ref, AppRow.state != _DELETED)
    row = session.execute(select(*_COLUMNS).where(*mine)).one_or_none()
    return StoredApp(*row) if row else None


def change(session: Session, provider: str, client_id: str, values: Mapping[str, Any]) -> StoredApp | None:
    """Changes a registration and gives what it is now; None for one that is not there or deleted."""
    changed = (
        update(AppRow)
        .where(AppRow.provider == provider, AppRow.client_id == client_id, AppRow.state != _DELETED)
        .values(**values)
        .returning(*_COLUMNS)
        .execution_options(synchronize_session=False)
    )
    row = session.execute(changed).one_or_none()
    return StoredApp(*row) if row else None


def set_origins(session: Session, client_id: str, provider: str, origins: Iterable[str]) -> None:
    """Puts these in the place of the app's origins."""
    gone = delete(AppOriginRow).where(AppOriginRow.client_id == client_id)
    session.execute(gone.execution_options(synchronize_session=False))
    _add_origins(session, client_id, provider, origins)


def search(
    session: Session, *, provider: str | None = None, state: str | None = None, developer_id: str | None = None
) -> list[StoredApp]:
    """Registrations, newest first; those deleted only when they are asked for by state."""
    query = select(*_COLUMNS).order_by(AppRow.created_at.desc(), AppRow.client_id)
    query = query.where(AppRow.state == state) if state else query.where(AppRow.state != _DELETED)
    if provider is not None:
        query = query.where(AppRow.provider == provider)
    if developer_id is not None:
        query = query.where(AppRow.developer_id == developer_id)
    return [StoredApp(*row) for row in session.execute(query)]


def origin_known(session: Session, provider: str, origin: str) -> bool:
    """Whether a pending or active app of the provider has this origin."""
    return session.connection().execute(_ORIGIN, {"provider": provider, "origin": origin}).first() is not None


def logo(session: Session, client_id: str, uri: str) -> tuple[bytes, datetime] | None:
    """What was found at this address of the app's, empty where it was nothing, and when."""
    mine = (AppLogoRow.client_id == client_id, AppLogoRow.uri == uri)
    row = session.execute(select(AppLogoRow.png, AppLogoRow.tried_at).where(*mine)).one_or_none()
    return (row[0], row[1]) if row else None


def keep_logo(session: Session, client_id: str, uri: str, png: bytes, now: datetime) -> None:
    """In the place of what was found before, also where two workers found it at once."""
    found = {"uri": uri, "png": png, "tried_at": now}
    fresh = upsert(session, AppLogoRow).values(client_id=client_id, **found)
    session.execute(fresh.on_conflict_do_update(index_elements=["client_id"], set_=found))


def _add_origins(session: Session, client_id: str, provider: str, origins: Iterable[str]) -> None:
    for origin in dict.fromkeys(origin for origin in origins if len(origin) <= _LONGEST_ORIGIN):
        session.execute(insert(AppOriginRow).values(client_id=client_id, origin=origin, provider=provider))


_A: Final = AppRow.__table__.c
_COLUMNS: Final = tuple(_A[name] for name in StoredApp.__dataclass_fields__)
_MINE: Final = (_A.provider == bindparam("provider"), _A.client_id == bindparam("client_id"))
_FIND: Final = Look(select(*_COLUMNS).where(*_MINE))
_STANDING: Final = Look(select(_A.state, _A.offered).where(*_MINE))
_O: Final = AppOriginRow.__table__.c
_ORIGIN: Final = (
    select(_O.client_id)
    .join(AppRow.__table__, _A.client_id == _O.client_id)
    .where(_O.provider == bindparam("provider"), _O.origin == bindparam("origin"), _A.state.in_(_REACHABLE))
    .limit(1)
)
