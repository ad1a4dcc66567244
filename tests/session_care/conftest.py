from collections.abc import Iterator

import pytest

from tests.support.databases import SqliteFiles
from tests.threats.composed import Composed, composed


@pytest.fixture
def site(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    with composed(sqlite_files, tmp_path_factory.mktemp("care")) as running:
        yield running
