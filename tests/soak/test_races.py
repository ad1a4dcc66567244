"""The races of apps over and over: four workers, one PostgreSQL, and never a fault of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.conformance.endings import download_cut, ended, given_back
from tests.conformance.races import assertions, redemptions, refreshes, stolen
from tests.conformance.site import Patient, Site, site
from tests.support.databases import PostgresDatabases

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

RACES = (redemptions, refreshes, stolen, assertions, given_back, ended, download_cut)
ROUNDS = 60


@pytest.fixture(scope="module")
def running(postgres_databases: PostgresDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(postgres_databases, tmp_path_factory.mktemp("races")) as ready:
        yield ready


@pytest.mark.threat("P2")
@pytest.mark.threat("P3")
@pytest.mark.threat("P4")
@pytest.mark.threat("O27")
@pytest.mark.promise("B1")
@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_a_race_ends_well_however_often_it_is_run(running: Site, race: Callable[[Site, Patient], None]) -> None:
    """Anew signed in for each: the clock moves on, and a browser's session ends."""
    for _ in range(ROUNDS):
        race(running, running.sign_in())
