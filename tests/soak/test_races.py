"""The races of apps over and over: four workers, one PostgreSQL, and never a fault of ours."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPException
from typing import Any

import psutil
import pytest

from tests.conformance.endings import download_cut, ended, given_back
from tests.conformance.races import READS, TOKEN, assertions, bearer, redemptions, refreshes, refreshing, said, stolen
from tests.conformance.site import Patient, Site, site
from tests.support.databases import PostgresDatabases
from tests.support.workers import Answer, Line, at_once

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


def _until_killed(running: Site, form: dict[str, str]) -> list[Answer]:
    """All ask at once, and one of the workers is killed meanwhile; then the others are asked once more. All answers."""
    with running.workers.lines() as lines:
        victim = psutil.Process(lines[0].worker)

        def work(line: Line) -> Answer | None:
            if line is lines[0]:
                victim.send_signal(signal.SIGKILL)
                return None
            with suppress(HTTPException, OSError):
                return line.ask("POST", TOKEN, form=form)
            return None

        found = at_once(lines, work)
        survivors = {line.worker: line for line in lines if line.worker != victim.pid}
        found += [line.ask("POST", TOKEN, form=form) for line in survivors.values()]
    running.workers.replaced(victim.pid)
    return [answer for answer in found if answer is not None]


@pytest.mark.threat("F16")
@pytest.mark.threat("O27")
@pytest.mark.threat("P4")
def test_a_worker_that_is_killed_among_refreshes_leaves_one_line(running: Site) -> None:
    """Who got no answer asks again, as an app does, and gets the successor that the others have."""
    for _ in range(ROUNDS // 4):
        patient, app = running.sign_in(), running.app()
        form = refreshing(running.tokens(patient, app)["refresh_token"], app.client_id)
        answers = _until_killed(running, form)
        assert {answer.status for answer in answers} == {200}
        got: list[dict[str, Any]] = [said(answer) for answer in answers]
        assert len({each["refresh_token"] for each in got}) == 1
        with running.workers.lines(1) as lines:
            assert {line.ask("GET", READS[0], bearer(got[-1]["access_token"])).status for line in lines} == {200}


@pytest.mark.threat("F16")
@pytest.mark.threat("O2")
@pytest.mark.threat("P3")
def test_a_worker_that_is_killed_among_redemptions_buys_nothing_twice(running: Site) -> None:
    """Whether the one that was bought was answered or lost: nothing of it lives, since the code was shown again."""
    for _ in range(ROUNDS // 4):
        patient, app = running.sign_in(), running.app()
        form = running.form(running.code(patient, app), app)
        answers = _until_killed(running, form)
        assert {answer.status for answer in answers} <= {200, 400}
        assert sum(answer.status == 200 for answer in answers) <= 1
        alive = "SELECT count(*) FROM app_families WHERE client_id = :client AND ended_at IS NULL"
        assert running.one(alive, client=app.client_id) == 0
        families = "SELECT count(*) FROM app_families WHERE client_id = :client"
        assert running.one(families, client=app.client_id) == 1
