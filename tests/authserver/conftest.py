from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from smartapp.tokens import signing_files
from tests.authserver.house import AuthHouse
from tests.fhir_facade.app import Clinic, clinic
from tests.support.databases import SqliteFiles


@pytest.fixture
def both(database_url: str, tmp_path: Path) -> Iterator[AuthHouse]:
    """On each kind of database."""
    house = AuthHouse(database_url, tmp_path)
    yield house
    house.close()


@pytest.fixture
def house(sqlite_files: SqliteFiles, tmp_path: Path) -> Iterator[AuthHouse]:
    """On SQLite alone: where the database plays no part of its own."""
    with sqlite_files.ready() as url:
        made = AuthHouse(url, tmp_path)
        yield made
        made.close()


@contextmanager
def signing(sqlite_files: SqliteFiles, folder: Path) -> Iterator[Clinic]:
    """A clinic with keys for id_tokens, as `smartapp init` makes them."""
    with clinic(sqlite_files, folder) as running:
        signing_files.rotate(running.composed.ground.settings.keys.dir, running.composed.clock.now())
        yield running


@pytest.fixture(scope="module")
def shared(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """For all tests of a module that leave time and the hospitals as they are."""
    with signing(sqlite_files, tmp_path_factory.mktemp("clinic")) as running:
        yield running


@pytest.fixture
def own(sqlite_files: SqliteFiles, tmp_path: Path) -> Iterator[Clinic]:
    """A clinic of this test's own."""
    with signing(sqlite_files, tmp_path) as running:
        yield running
