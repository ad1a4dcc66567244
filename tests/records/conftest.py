from collections.abc import Iterator
from pathlib import Path

import pytest

from smartapp.db.unit import Database
from smartapp.dicomweb.core.render import RenderPool
from smartapp.security.keyring import Keyring
from smartapp.settings import Rendering
from tests.dicomweb_upstream.archive import Archive, running_archive
from tests.fhir_upstream.fake_fhir import FakeFhir
from tests.launch.server import serving
from tests.records.desk import Desk, make_desk


@pytest.fixture(scope="session")
def pool() -> Iterator[RenderPool]:
    pool = RenderPool(Rendering(processes=1))
    yield pool
    pool.close()


@pytest.fixture
def archive() -> Iterator[Archive]:
    with running_archive() as running:
        yield running


@pytest.fixture
def ehr() -> Iterator[FakeFhir]:
    with serving() as server:
        yield FakeFhir(server)


@pytest.fixture
def desk(
    sqlite_database: Database, keyring: Keyring, ehr: FakeFhir, archive: Archive, tmp_path: Path, pool: RenderPool
) -> Desk:
    return make_desk(sqlite_database, keyring, ehr, archive, tmp_path, pool)
