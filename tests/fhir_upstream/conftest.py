from collections.abc import Iterator

import pytest

from smartapp.db.unit import Database
from smartapp.security.keyring import Keyring
from tests.fhir_upstream.fake_fhir import Desk, FakeFhir
from tests.launch.server import serving


@pytest.fixture
def ehr() -> Iterator[FakeFhir]:
    with serving() as server:
        yield FakeFhir(server)


@pytest.fixture
def desk(ehr: FakeFhir, sqlite_database: Database, keyring: Keyring) -> Desk:
    return Desk(ehr, sqlite_database, keyring)
