"""Facade and gateway for apps over PostgreSQL: the same answers, counted rightly when they are asked at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from smartapp.consent.grants.model import GrantState
from smartapp.tokens.limits import store
from smartapp.tokens.limits.service import Limit
from tests.fhir_facade.app import App, Clinic, clinic
from tests.gateway.app import MULTIPART
from tests.support.databases import PostgresDatabases
from tests.threats.composed import BASE

DICOMWEB = f"{BASE}/st-elsewhere/dicomweb"
PATHS = ("/Patient/ana", "/ImagingStudy?_count=1", "/DiagnosticReport/r1", "/DocumentReference", f"{DICOMWEB}/studies")


@pytest.fixture(scope="module")
def over_postgres(postgres_databases: PostgresDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with clinic(postgres_databases, tmp_path_factory.mktemp("postgres")) as running:
        clock = running.composed.clock
        clock.advance(60 * (70 - clock.now().minute))  # far from the turn of an hour, at which counting begins anew
        yield running


@pytest.mark.promise("B3")
def test_what_is_listed_is_read_and_paged(over_postgres: Clinic) -> None:
    app = over_postgres.app("patient/*.rs", modalities=frozenset({"CT"}))
    listed = app.ids("/ImagingStudy?_count=1")
    assert len(listed) == 3
    for id_ in listed:
        assert app.json(f"/ImagingStudy/{id_}")["modality"][0]["code"] == "CT"
    assert app.ids("/DiagnosticReport") == ["r1", "r2"]
    rows = app.get(f"{DICOMWEB}/studies").get_json(force=True)
    assert len(rows) == len(listed)
    assert app.get(f"{DICOMWEB}/studies/1.2.3", headers={"Accept": MULTIPART}).status_code == 200
    assert app.get(f"{DICOMWEB}/studies/1.5", headers={"Accept": MULTIPART}).status_code == 403


@pytest.mark.promise("B3")
@pytest.mark.threat("P15")
def test_requests_at_once_are_all_answered_counted_and_written_down(over_postgres: Clinic) -> None:
    app = over_postgres.app()
    assert {app.get(path).status_code for path in PATHS} == {200}
    before = _counted(app)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda path: _asked(app, path), PATHS * 8))
    assert {status for status, _ in answers} == {200}
    assert _counted(app) - before == sum(size for _, size in answers)


def _counted(app: App) -> int:
    """The bytes that are on the grant's account for this hour."""
    limits, database = app.clinic.parts.limits, app.clinic.composed.ground.database
    window, _ = limits._window(limits._allowances[Limit.BYTES])
    return store.used(database, limits._ref(Limit.BYTES, app.grant_id), window)


def _asked(app: App, path: str) -> tuple[int, int]:
    """In a client of its own: one is not made for several threads."""
    client = app.clinic.composed.house.app.test_client(use_cookies=False)
    address = path if path.startswith("http") else f"{BASE}/st-elsewhere/fhir{path}"
    answer = client.get(
        address.removeprefix(BASE), headers={"Authorization": f"Bearer {app.token}"}, base_url=BASE, buffered=True
    )
    return answer.status_code, len(answer.data)


@pytest.mark.promise("B4")
@pytest.mark.threat("A20")
def test_an_end_holds_from_the_next_request_on(over_postgres: Clinic) -> None:
    app = over_postgres.app()
    assert app.get("/Patient/ana").status_code == 200
    over_postgres.set_state(app, GrantState.PAUSED)
    assert app.get("/Patient/ana").status_code == 403
    over_postgres.set_state(app, GrantState.ENDED)
    before = over_postgres.calls()
    assert {app.get(path).status_code for path in PATHS} == {401}
    assert over_postgres.calls() == before
