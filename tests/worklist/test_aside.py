"""The worklist is written beside the patient's request: it neither fails it nor holds it up."""
# ruff: noqa: ARG002  # a stand-in takes what the real one takes

import logging
from collections.abc import Iterator
from threading import Event as Flag

import pytest

from smartapp.errors import DatabaseBusy
from smartapp.exchange.worklist.aside import Aside
from smartapp.exchange.worklist.service import Worklist
from smartapp.identity.model import PatientKey
from smartapp.records.unmatched import Refreshed
from tests.access import trail
from tests.worklist.office import INES, MISFILED, Office


@pytest.fixture
def found(sqlite_office: Office) -> Refreshed:
    return Refreshed(sqlite_office.house.clock.now(), (MISFILED,), complete=True)


class Stuck(Worklist):
    """One that does not come back until it is let go."""

    def __init__(self) -> None:
        self.go = Flag()
        self.begun: list[str] = []

    def observe(self, patient: PatientKey, found: Refreshed, request_id: str) -> None:
        self.begun.append(request_id)
        assert self.go.wait(30)


class Failing(Worklist):
    def __init__(self, fault: Exception) -> None:
        self.fault = fault

    def observe(self, patient: PatientKey, found: Refreshed, request_id: str) -> None:
        raise self.fault


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    made = Stuck()
    yield made
    made.go.set()


@pytest.mark.promise("A2")
def test_it_is_written_by_the_time_the_page_is_made(sqlite_office: Office, found: Refreshed) -> None:
    aside = Aside(sqlite_office.worklist, sqlite_office.house.audit, moment=30)
    aside(INES, found, "req-1")
    assert sqlite_office.worklist.told(INES, (MISFILED.uid,))
    aside.close()


@pytest.mark.promise("E8")
@pytest.mark.threat("F13")
def test_a_request_does_not_wait_for_a_database_that_is_held(
    sqlite_office: Office, found: Refreshed, stuck: Stuck, caplog: pytest.LogCaptureFixture
) -> None:
    aside = Aside(stuck, sqlite_office.house.audit, moment=0.001)
    for number in range(70):
        aside(INES, found, f"req-{number}")
    assert stuck.begun in ([], ["req-0"])
    assert "the worklist is behind" in caplog.text
    stuck.go.set()
    aside.close()
    assert stuck.begun == [f"req-{number}" for number in range(64)]


@pytest.mark.promise("E8")
@pytest.mark.threat("T18")
@pytest.mark.parametrize(
    ("fault", "said"), [(DatabaseBusy(), "database-busy"), (ValueError("SE-4040-NOBODY"), "ValueError")]
)
def test_what_fails_is_logged_and_written_down_and_not_the_patients(
    sqlite_office: Office, found: Refreshed, fault: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    aside = Aside(Failing(fault), sqlite_office.house.audit, moment=30)
    aside(INES, found, "req-7")
    aside.close()
    [row] = trail.rows(sqlite_office.house, "worklist.failed")
    assert row.severity == "high"
    assert trail.detail(sqlite_office.house, row, INES) == {"fault": said}
    assert [record.getMessage() for record in caplog.records if record.name.startswith("smartapp")] == [
        f"req-7: the worklist could not be written: {said}"
    ]


@pytest.mark.promise("E8")
def test_where_not_even_that_can_be_written_it_is_logged(
    sqlite_office: Office, found: Refreshed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    aside = Aside(sqlite_office.worklist, sqlite_office.house.audit, moment=30)

    def away() -> None:
        raise DatabaseBusy

    monkeypatch.setattr(sqlite_office.house.database, "read", away)
    monkeypatch.setattr(sqlite_office.house.database, "write", away)
    aside(INES, found, "req-8")
    aside.close()
    assert "that could not be written down: audit-unavailable" in caplog.text


def test_after_the_end_nothing_is_begun(sqlite_office: Office, found: Refreshed) -> None:
    aside = Aside(sqlite_office.worklist, sqlite_office.house.audit)
    aside.close()
    for _ in range(70):  # its room is given back
        aside(INES, found, "req-9")
    assert sqlite_office.stored("work_items") == []
