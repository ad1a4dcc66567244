from collections.abc import Iterator

import pytest

from tests.support.databases import SqliteFiles
from tests.threats.composed import Composed, composed


@pytest.fixture(scope="module")
def shared(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    """One application for all tests of a module that leave it as it was."""
    with composed(sqlite_files, tmp_path_factory.mktemp("shared")) as running:
        yield running


@pytest.fixture
def own(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    """An application of this test's own, to be broken."""
    with composed(sqlite_files, tmp_path_factory.mktemp("own")) as running:
        yield running
