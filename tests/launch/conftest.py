from collections.abc import Iterator

import pytest

from smartapp.db.unit import Database
from smartapp.security.keyring import Keyring
from tests.launch.fake_ehr import FakeEhr
from tests.launch.house import House, fake_house
from tests.launch.server import serving


@pytest.fixture
def fake_ehr() -> Iterator[FakeEhr]:
    with serving() as server:
        yield FakeEhr(server)


@pytest.fixture
def house(fake_ehr: FakeEhr, sqlite_database: Database, keyring: Keyring) -> House:
    return fake_house(fake_ehr, sqlite_database, keyring)
