import pytest

from smartapp.db.unit import Database
from smartapp.security.keyring import Keyring
from tests.access.house import House
from tests.support.clock import FixedClock


@pytest.fixture
def house(database: Database, keyring: Keyring, fixed_clock: FixedClock) -> House:
    return House(database, keyring, fixed_clock)
