import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import BigInteger, Boolean, Engine, Integer, LargeBinary, String, Table, inspect, select, text
from sqlalchemy.exc import DBAPIError

from smartapp.db import schema
from smartapp.db.base import Base
from smartapp.db.engine import make_engine
from smartapp.db.types import UtcDateTime
from smartapp.db.unit import Database
from smartapp.errors import DatabaseBusy
from smartapp.settings import Database as DatabaseSettings
from tests.support.databases import import_tables

MOMENT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SAMPLES: list[tuple[type, Any]] = [
    (UtcDateTime, MOMENT),
    (Boolean, True),
    (BigInteger, 7),
    (Integer, 7),
    (LargeBinary, b"sealed"),
    (String, "text"),
]


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    made = make_engine(DatabaseSettings(empty_database_url, lock_timeout=2))
    yield made
    made.dispose()


def revisions() -> list[str]:
    """From the first to the newest."""
    config = Config()
    config.set_main_option("script_location", "smartapp:migrations")
    config.set_main_option("path_separator", "os")
    return [script.revision for script in reversed(list(ScriptDirectory.from_config(config).walk_revisions()))]


def sample(table: Table) -> dict[str, Any]:
    """A row with something in every column."""
    return {
        column.name: next(value for kind, value in SAMPLES if isinstance(column.type, kind))
        for column in table.columns
        if column.identity is None
    }


def fill(engine: Engine) -> dict[str, Any]:
    """One row in every table that is there, parents first; what an earlier revision left in one stays."""
    import_tables()
    present = inspect(engine).get_table_names()
    filled = [table for table in Base.metadata.sorted_tables if table.name in present]
    empty = [table for table in filled if not rows(engine, table)]
    with Database(engine).write() as session:
        for table in empty:
            session.execute(table.insert().values(sample(table)))
    return {table.name: rows(engine, table) for table in filled}


def rows(engine: Engine, table: Table) -> list[dict[str, Any]]:
    with Database(engine).read() as session:
        return [dict(row) for row in session.execute(select(table)).mappings()]


def test_models_and_tables_agree(engine: Engine) -> None:
    assert not schema.is_current(engine)
    schema.upgrade(engine)
    assert schema.is_current(engine)
    assert schema.differences(engine) == []


def test_a_difference_is_found(engine: Engine) -> None:
    schema.upgrade(engine)
    with Database(engine).write() as session:
        session.execute(text("ALTER TABLE study_index ADD COLUMN stray INTEGER"))
        session.execute(text("DROP TABLE viewer_tokens"))
    found = " ".join(schema.differences(engine))
    assert "stray" in found
    assert "viewer_tokens" in found


def test_history_is_one_line() -> None:
    assert revisions()[0] == "0001"
    assert revisions() == sorted(revisions())


def test_every_step_goes_up_down_and_up_again_with_data(engine: Engine) -> None:
    for revision in revisions():
        schema.upgrade(engine, revision)
        assert all(fill(engine).values())
        schema.downgrade(engine, "-1")
        schema.upgrade(engine, revision)
        schema.downgrade(engine, "-1")
        schema.upgrade(engine, revision)
    schema.downgrade(engine, "base")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}


def test_what_is_stored_stays_when_the_tables_are_current(engine: Engine) -> None:
    schema.upgrade(engine)
    before = fill(engine)
    assert set(before) == set(Base.metadata.tables)
    schema.upgrade(engine)
    assert {name: rows(engine, Base.metadata.tables[name]) for name in before} == before


@pytest.mark.threat("T17")
@pytest.mark.parametrize("statement", ["UPDATE audit_events SET kind = 'x'", "DELETE FROM audit_events"])
def test_the_migrated_audit_trail_is_append_only(engine: Engine, statement: str) -> None:
    schema.upgrade(engine)
    fill(engine)
    with pytest.raises(DBAPIError, match="append-only"), Database(engine).write() as session:
        session.execute(text(statement))
    assert len(rows(engine, Base.metadata.tables["audit_events"])) == 1


def test_several_who_upgrade_at_once_do_it_once(empty_database_url: str) -> None:
    engines = [make_engine(DatabaseSettings(empty_database_url, lock_timeout=20)) for _ in range(2)]
    schema.upgrade(engines[0], "0001")
    schema.downgrade(engines[0], "base")

    def upgrade(engine: Engine) -> bool:
        # A process each, as workers are: Alembic's context is global to one.
        code = "import sys; from smartapp.db import schema; from smartapp.db.engine import make_engine; "
        code += "from smartapp.settings import Database; schema.upgrade(make_engine(Database(sys.argv[1], 20.0)))"
        url = engine.url.render_as_string(hide_password=False)
        return subprocess.run([sys.executable, "-c", code, url], check=False).returncode == 0

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(upgrade, engines)) == [True, True]
    assert schema.is_current(engines[0])
    for engine in engines:
        engine.dispose()


@pytest.mark.threat("F13")
def test_an_upgrade_does_not_wait_for_ever(tmp_path: Path) -> None:
    engine = make_engine(DatabaseSettings(f"sqlite:///{tmp_path / 'a.db'}", lock_timeout=0.1))
    with Database(engine).write() as session:
        session.connection()
        with pytest.raises(DatabaseBusy):
            schema.upgrade(engine)
    engine.dispose()
