from collections.abc import Iterator

import pytest

from tests.fhir_facade.app import App, Clinic, clinic
from tests.support.databases import SqliteFiles


@pytest.fixture(scope="module")
def shared(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """For all tests of a module that leave it as it was."""
    with clinic(sqlite_files, tmp_path_factory.mktemp("facade")) as running:
        yield running


@pytest.fixture
def own(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """A clinic of this test's own, to be broken."""
    with clinic(sqlite_files, tmp_path_factory.mktemp("facade")) as running:
        yield running


@pytest.fixture(scope="module")
def app(shared: Clinic) -> App:
    """An app that the patient allowed everything."""
    return shared.app()
