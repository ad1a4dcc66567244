from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.authserver.house import AuthHouse
from tests.fhir_facade.conftest import own, shared
from tests.support.databases import SqliteFiles

__all__ = ["own", "shared"]  # fixtures, found by their names here


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
