import pytest

from smartapp.db.unit import Database
from smartapp.security.keyring import Keyring
from tests.access.house import House
from tests.worklist.office import Office


@pytest.fixture
def office(database: Database, keyring: Keyring) -> Office:
    return Office(House(database, keyring))


@pytest.fixture
def sqlite_office(sqlite_database: Database, keyring: Keyring) -> Office:
    return Office(House(sqlite_database, keyring))
