"""INSERT that says what to do about a row that is there already, which SQLite and PostgreSQL write alike."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


def upsert(session: Session, table: Any) -> sqlite.Insert | postgresql.Insert:
    """An insert into `table` that takes `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return sqlite.insert(table) if session.get_bind().dialect.name == "sqlite" else postgresql.insert(table)
