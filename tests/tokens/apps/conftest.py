from collections.abc import Iterator

import pytest

from smartapp.security.keyring import Keyring
from tests.support.databases import SqliteFiles
from tests.tokens.apps.house import AppHouse


@pytest.fixture
def worker(database_url: str, keyring: Keyring) -> Iterator[AppHouse]:
    """On each kind of database."""
    house = AppHouse(database_url, keyring)
    yield house
    house.close()


@pytest.fixture
def house(sqlite_files: SqliteFiles, keyring: Keyring) -> Iterator[AppHouse]:
    """On SQLite alone: where the database plays no part of its own."""
    with sqlite_files.ready() as url:
        made = AppHouse(url, keyring)
        yield made
        made.close()
