"""Fixtures of all tests: databases of both kinds, keys, and a clock that stands still."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer

from smartapp.db.engine import make_engine
from smartapp.db.unit import Database
from smartapp.security.keyring import Keyring
from smartapp.settings import Database as DatabaseSettings
from tests.support import hurry, kinds, postgres
from tests.support.browsers import chromium, playwright
from tests.support.clock import FixedClock
from tests.support.databases import PostgresDatabases, SqliteFiles
from tests.support.parts import require
from tests.support.schedule import LongestFirst, longest_first

# No example is timed: machines are shared. A run says the same each time; `make soak` looks for new examples.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", derandomize=False, print_blob=True, deadline=None)

__all__ = ["chromium", "playwright"]  # fixtures, found by their names here


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    longest_first(items)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LongestFirst:
    return LongestFirst(config, log)


@pytest.fixture(scope="session", autouse=True)
def sqlite_in_a_hurry() -> Iterator[None]:
    hurry.hurry()
    yield
    hurry.wait()


@pytest.fixture(scope="session", autouse=True)
def declared_kinds() -> Iterator[None]:
    with kinds.watched():
        yield


@pytest.fixture
def sqlite_as_in_life() -> Iterator[None]:
    """For the one test that asks how much SQLite waits."""
    hurry.wait()
    yield
    hurry.hurry()


@pytest.fixture(scope="session")
def sqlite_files(tmp_path_factory: pytest.TempPathFactory) -> SqliteFiles:
    return SqliteFiles(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_databases() -> Iterator[PostgresDatabases]:
    """Asked for by the tests that use it only: a run without them starts no server."""
    with postgres.running(require("PostgreSQL", postgres.binaries())) as server:
        yield PostgresDatabases(server)


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> SqliteFiles | PostgresDatabases:
    """A source of databases, of each kind in turn."""
    name = "sqlite_files" if request.param == "sqlite" else "postgres_databases"
    source = request.getfixturevalue(name)
    assert isinstance(source, SqliteFiles | PostgresDatabases)
    return source


@pytest.fixture
def empty_database_url(databases: SqliteFiles | PostgresDatabases) -> Iterator[str]:
    """A database without tables."""
    with databases.empty() as url:
        yield url


@pytest.fixture
def database_url(databases: SqliteFiles | PostgresDatabases) -> Iterator[str]:
    """A database of this test's own, with all tables and no rows."""
    with databases.ready() as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The unit of work on `database_url`; it waits for a lock as long as the product does."""
    engine = make_engine(DatabaseSettings(database_url))
    yield Database(engine)
    engine.dispose()


@pytest.fixture
def sqlite_database(sqlite_files: SqliteFiles) -> Iterator[Database]:
    """As `database`, on SQLite alone: for tests in which the database plays no part of its own."""
    with sqlite_files.ready() as url:
        engine = make_engine(DatabaseSettings(url))
        yield Database(engine)
        engine.dispose()


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    """New keys in a folder of this test's own."""
    return Keyring.create(tmp_path / "keys")


@pytest.fixture
def fixed_clock() -> FixedClock:
    return FixedClock()
