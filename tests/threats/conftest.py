from collections.abc import Iterator

import pytest

from smartapp.settings import Apps
from tests.support.databases import SqliteFiles
from tests.threats.composed import Composed, composed
from tests.threats.holding import MAIL, Holder, holder

MANY = 1_000_000


@pytest.fixture(scope="module")
def shared(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    """One application for all tests of a module that leave it as it was."""
    with composed(sqlite_files, tmp_path_factory.mktemp("shared")) as running:
        yield running


@pytest.fixture
def own(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    """An application of this test's own, to be broken."""
    with composed(sqlite_files, tmp_path_factory.mktemp("own"), mail=MAIL) as running:
        yield running


@pytest.fixture(scope="module")
def walked(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    """To be walked: every door is called far more often than anybody would."""
    folder = tmp_path_factory.mktemp("walked")
    apps = Apps(failures_per_minute=MANY, registrations_per_hour=MANY, requests_per_minute=MANY)
    with composed(sqlite_files, folder, mail=MAIL, apps=apps) as running:
        yield running


@pytest.fixture(scope="module")
def everything(walked: Composed) -> Holder:
    """Ana, who holds all that there is to hold."""
    return holder(walked)


@pytest.fixture(scope="module")
def other(walked: Composed) -> Holder:
    """Ben, who holds as much."""
    return holder(walked, "ben")
