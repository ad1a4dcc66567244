import sqlite3
import stat
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Column as Col
from sqlalchemy import Integer, MetaData, String, Table, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from smartapp.db.engine import make_engine
from smartapp.db.types import UtcDateTime
from smartapp.db.unit import Database
from smartapp.errors import ConfigurationError, DatabaseBusy
from smartapp.settings import Database as DatabaseSettings

THINGS = Table(
    "things", MetaData(), Col("id", Integer, primary_key=True), Col("name", String(20)), Col("at", UtcDateTime)
)


@pytest.fixture
def things(database: Database) -> Database:
    with database.write() as session:
        THINGS.metadata.create_all(session.connection())
        session.execute(insert(THINGS).values(id=1, name="one"))
    return database


def names(database: Database) -> list[str | None]:
    with database.read() as session:
        return list(session.scalars(select(THINGS.c.name).order_by(THINGS.c.id)))


def insert_and_fail(things: Database) -> None:
    with things.write() as session:
        session.execute(insert(THINGS).values(id=2, name="two"))
        session.flush()
        raise ZeroDivisionError


def test_a_write_commits_at_its_end_and_not_when_it_raises(things: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        insert_and_fail(things)
    assert names(things) == ["one"]


def test_a_reader_cannot_write(things: Database) -> None:
    with pytest.raises((DBAPIError, DatabaseBusy)), things.read() as session:
        session.execute(insert(THINGS).values(id=2, name="two"))
    with things.write() as session:
        session.execute(insert(THINGS).values(id=3, name="three"))
    assert names(things) == ["one", "three"]


def test_a_write_inside_a_write_is_refused_at_once(things: Database) -> None:
    with things.write(), pytest.raises(RuntimeError), things.write():
        pass
    with things.write() as session:
        session.execute(insert(THINGS).values(id=2, name="two"))


@pytest.mark.threat("F13")
def test_a_lock_that_is_held_gives_busy_and_nothing_is_written(things: Database) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with things.write() as session:
            session.execute(THINGS.update().values(name="held"))
            held.set()
            done.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    try:
        with pytest.raises(DatabaseBusy), things.write() as session:
            session.execute(THINGS.update().values(name="lost"))
    finally:
        done.set()
        holder.join()
    assert names(things) == ["held"]


def test_readers_go_on_while_somebody_writes(things: Database) -> None:
    with things.write() as session:
        session.execute(THINGS.update().values(name="new"))
        session.flush()
        assert names(things) == ["one"]


def test_faults_of_ours_are_not_called_busy(things: Database) -> None:
    with pytest.raises(DBAPIError), things.read() as session:
        session.execute(text("SELECT * FROM absent"))
    with pytest.raises(IntegrityError), things.write() as session:
        session.execute(insert(THINGS).values(id=1))


@pytest.mark.threat("W20")
def test_no_message_says_what_a_statement_was_given(things: Database) -> None:
    with pytest.raises(IntegrityError) as caught, things.write() as session:
        session.execute(insert(THINGS).values(id=1, name="Erika Mustermann"))
    assert "Erika" not in str(caught.value)


@pytest.mark.threat("F28")
def test_a_used_up_pool_gives_busy(things: Database) -> None:
    sessions = [Session(things.engine) for _ in range(20)]
    try:
        for session in sessions:
            session.connection()
        with pytest.raises(DatabaseBusy), things.read() as session:
            session.connection()
    finally:
        for session in sessions:
            session.close()


@pytest.mark.threat("F17")
@pytest.mark.usefixtures("sqlite_as_in_life")
def test_sqlite_loses_nothing_and_shows_nothing(sqlite_database: Database) -> None:
    with sqlite_database.read() as session:
        assert session.scalar(text("PRAGMA synchronous")) == 2
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
        files = list(Path(str(sqlite_database.engine.url.database)).parent.glob("*.db*"))
    assert files


def test_sqlite_files_are_private(tmp_path: Path) -> None:
    database = Database(make_engine(DatabaseSettings(f"sqlite:///{tmp_path / 'a.db'}")))
    with database.write() as session:
        session.execute(text("CREATE TABLE t (x)"))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("a.db*")}
    database.engine.dispose()
    assert modes == dict.fromkeys(("a.db", "a.db-wal", "a.db-shm"), 0o600)


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "nonsense", "sqlite:////absent/a.db"]
)
def test_other_databases_are_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"\[database\] url"):
        make_engine(DatabaseSettings(url))


def test_times_come_back_aware_and_equal(things: Database) -> None:
    moment = datetime(2026, 10, 25, 2, 30, 1, 5, tzinfo=timezone(timedelta(hours=2)))
    with things.write() as session:
        session.execute(insert(THINGS).values(id=9, at=moment))
    with things.read() as session:
        stored = session.scalar(select(THINGS.c.at).where(THINGS.c.at <= moment))
        assert session.scalar(select(THINGS.c.at).where(THINGS.c.id == 1)) is None
    assert stored == moment
    assert stored is not None
    assert stored.tzinfo is UTC


def test_a_time_without_zone_is_refused(things: Database) -> None:
    with pytest.raises(Exception, match="without a zone"), things.write() as session:
        session.execute(insert(THINGS).values(id=9, at=datetime(2026, 1, 1)))  # noqa: DTZ001 -- the fault that is tested


@pytest.mark.threat("F15")
def test_a_conflict_is_tried_again_and_at_last_busy(database: Database) -> None:
    attempts: list[int] = []

    def work(session: Session) -> str:
        attempts.append(1)
        if len(attempts) < 3:
            raise conflict()
        return session.scalar(text("SELECT 'done'")) or ""

    assert database.run(work) == "done"
    attempts.clear()
    with pytest.raises(DatabaseBusy):
        database.run(work, attempts=2)


def conflict() -> DBAPIError:
    from psycopg.errors import SerializationFailure
    from sqlalchemy.exc import OperationalError

    return OperationalError("COMMIT", {}, SerializationFailure())


def test_a_lock_is_not_waited_for_twice(sqlite_database: Database) -> None:
    attempts: list[int] = []

    def work(_session: Session) -> None:
        attempts.append(1)
        busy = sqlite3.OperationalError("locked")
        raise DBAPIError("UPDATE", {}, busy, connection_invalidated=True)

    with pytest.raises(DatabaseBusy):
        sqlite_database.run(work)
    assert len(attempts) == 1
