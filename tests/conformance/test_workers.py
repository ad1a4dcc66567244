"""The races that four workers on one PostgreSQL must not lose, over real HTTP, each once; `make soak` repeats them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance import endings, races
from tests.conformance.site import Patient, Site, site
from tests.support.databases import PostgresDatabases


@pytest.fixture(scope="module")
def running(postgres_databases: PostgresDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(postgres_databases, tmp_path_factory.mktemp("workers")) as ready:
        yield ready


@pytest.fixture(scope="module")
def ana(running: Site) -> Patient:
    return running.sign_in()


@pytest.mark.threat("O1")
@pytest.mark.threat("O2")
@pytest.mark.threat("P3")
@pytest.mark.promise("B1")
def test_of_32_redemptions_one_succeeds_and_its_family_is_dead(running: Site, ana: Patient) -> None:
    races.redemptions(running, ana)


@pytest.mark.threat("O26")
@pytest.mark.threat("O27")
@pytest.mark.threat("P4")
@pytest.mark.promise("B1")
def test_32_refreshes_have_one_successor_which_the_old_token_ends_later(running: Site, ana: Patient) -> None:
    races.refreshes(running, ana)


@pytest.mark.threat("O26")
def test_a_spent_token_among_the_newest_leaves_nothing(running: Site, ana: Patient) -> None:
    races.stolen(running, ana)


@pytest.mark.threat("O45")
@pytest.mark.threat("P3")
@pytest.mark.clause("RFC 7523", "3")
@pytest.mark.clause("SMART 2.2 server", "336")
def test_of_32_who_show_an_assertion_one_is_believed(running: Site, ana: Patient) -> None:
    races.assertions(running, ana)


@pytest.mark.threat("O36")
@pytest.mark.threat("O37")
@pytest.mark.clause("RFC 7009", "2.1", "2.2")
def test_after_a_token_was_given_back_no_worker_serves_it(running: Site, ana: Patient) -> None:
    endings.given_back(running, ana)


@pytest.mark.threat("A20")
@pytest.mark.threat("P2")
@pytest.mark.threat("O32")
@pytest.mark.threat("O37")
@pytest.mark.promise("B4")
def test_after_the_patients_end_no_worker_serves_the_app(running: Site, ana: Patient) -> None:
    endings.ended(running, ana)


@pytest.mark.threat("A21")
@pytest.mark.threat("P2")
@pytest.mark.promise("B4")
def test_a_download_on_one_worker_is_cut_by_an_end_on_another(running: Site, ana: Patient) -> None:
    endings.download_cut(running, ana)
