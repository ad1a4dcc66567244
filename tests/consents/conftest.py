from collections.abc import Iterator

import pytest

from tests.consents.ward import Ward, ward
from tests.support.databases import SqliteFiles


@pytest.fixture(scope="module")
def shared(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    """For tests that say what is on file, each anew."""
    with ward(sqlite_files, tmp_path_factory.mktemp("ward")) as running:
        yield running
