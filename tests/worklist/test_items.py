"""Items as refreshes open, count, settle and reopen them, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from smartapp.errors import DatabaseBusy
from smartapp.exchange.worklist.model import How, State
from smartapp.records.unmatched import Refreshed
from tests.access import trail
from tests.worklist.office import INES, MISFILED, OTHER, ROSA, Office

MOVED = replace(MISFILED, patient_id="SE-5050-ANYBODY")
SECOND = replace(MISFILED, uid="2.25.73310284420002")


@pytest.mark.promise("A2")
def test_what_does_not_match_is_queued_once_and_counted(office: Office) -> None:
    office.refresh(MISFILED)
    office.refresh(MISFILED)
    item = office.the_item()
    assert (item.provider, item.kind, office.state()) == ("st-elsewhere", "study-unmatched", ("open", None, 2))
    assert (item.standing.last_seen - item.first_seen).total_seconds() == 120
    found = office.opened()
    assert (found.patient, found.facts, found.word) == (INES, MISFILED, None)
    assert office.kinds() == ["worklist.opened", "worklist.shown"]


@pytest.mark.promise("A2")
def test_each_patient_and_study_has_an_item_of_its_own(office: Office) -> None:
    office.refresh(MISFILED, SECOND)
    office.refresh(MISFILED, patient=OTHER)
    assert len(office.items()) == 3


@pytest.mark.promise("E8")
@pytest.mark.parametrize("workers", [6])
def test_workers_who_find_it_at_once_open_one_item(office: Office, workers: int) -> None:
    together = Barrier(workers)
    at = office.house.clock.now()
    studies = (MISFILED, SECOND, replace(MISFILED, uid="2.25.73310284420003"))

    def find(number: int) -> None:
        worker = office.another()
        order = studies if number % 2 else studies[::-1]
        together.wait(timeout=30)
        worker.worklist.observe(INES, Refreshed(at, order, complete=True), f"req-{number}")

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(find, range(workers)))
    assert [item.standing.times_seen for item in office.items()] == [workers] * 3
    assert office.kinds() == ["worklist.opened"] * 3


@pytest.mark.promise("A2")
def test_a_study_that_became_right_settles_its_item(office: Office) -> None:
    office.refresh(MISFILED, SECOND)
    office.refresh(SECOND)
    assert {item.standing.state for item in office.items()} == {State.OPEN, State.SETTLED}
    [item] = office.items(State.SETTLED)
    found = office.desk.show(item.id, ROSA)
    assert item.standing.how is How.CORRECTED
    assert found.word is not None
    assert (found.word.by, found.word.note) == ("", "")
    assert "worklist.corrected" in office.kinds()
    office.refresh(MISFILED, SECOND)
    assert office.kinds().count("worklist.reopened") == 1
    assert len(office.items(State.OPEN)) == 2


def test_one_that_somebody_is_at_is_settled_by_it_too(office: Office) -> None:
    office.refresh(MISFILED)
    office.desk.take(office.the_item().id, ROSA)
    office.refresh()
    assert office.state() == ("settled", "corrected", 1)


@pytest.mark.promise("E8")
def test_a_refresh_that_may_lack_something_settles_nothing(office: Office) -> None:
    office.refresh(MISFILED)
    office.refresh(complete=False)
    assert office.state() == ("open", None, 1)


@pytest.mark.promise("A2")
@pytest.mark.parametrize("how", [How.LEFT, How.NOT_OURS])
def test_what_was_left_opens_again_only_when_facts_change(office: Office, how: How) -> None:
    office.refresh(MISFILED)
    office.desk.settle(office.the_item().id, how, "two records of one person", ROSA)
    office.refresh(MISFILED)
    office.refresh(replace(MISFILED, description="Left hand", accessions=()))
    assert office.state() == ("settled", how.value, 3)
    word = office.opened().word
    assert word is not None
    assert (word.by, word.note) == ("Rosa Records", "two records of one person")
    office.refresh(MOVED)
    assert office.state() == ("open", None, 4)
    assert (office.opened().facts, office.opened().word) == (MOVED, None)


def test_what_was_said_to_be_corrected_and_is_not_opens_again(office: Office) -> None:
    office.refresh(MISFILED)
    office.desk.settle(office.the_item().id, How.CORRECTED, "moved in the archive", ROSA)
    office.refresh(MISFILED)
    assert office.state() == ("open", None, 2)


def test_a_refresh_that_began_before_it_was_settled_does_not_open_it(office: Office) -> None:
    office.refresh(MISFILED)
    began = office.house.clock.now()
    office.house.clock.advance(5)
    office.desk.settle(office.the_item().id, How.CORRECTED, "moved in the archive", ROSA)
    office.worklist.observe(INES, Refreshed(began, (MISFILED,), complete=True), "req-slow")
    assert office.state() == ("settled", "corrected", 1)


def test_nothing_is_written_where_there_is_nothing_to_say(office: Office) -> None:
    office.refresh()
    assert office.kinds() == []
    assert office.stored("work_items") == []


@pytest.mark.promise("E1")
@pytest.mark.threat("T18")
def test_rows_name_nobody(office: Office) -> None:
    office.refresh(MISFILED)
    office.desk.settle(office.the_item().id, How.LEFT, "belongs to Inês Carvalho", ROSA)
    stored = [*office.stored("work_items"), *office.stored("audit_events")]
    held = b"\n".join(
        bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
        for row in stored
        for value in row
    )
    assert b"study-unmatched" in held
    for told in (
        MISFILED.uid, *MISFILED.ours, INES.patient_id, *MISFILED.imaging_studies, MISFILED.patient_id,
        *MISFILED.accessions, MISFILED.description, "Carvalho", "Rosa Records",
    ):  # fmt: skip
        assert told.encode() not in held, told


@pytest.mark.promise("E1")
@pytest.mark.threat("T13")
def test_erasing_the_patient_erases_what_the_item_says(office: Office) -> None:
    office.refresh(MISFILED)
    office.desk.take(office.the_item().id, ROSA)
    office.house.datakeys.destroy(str(INES))
    found = office.another().opened()
    assert (found.facts, found.word) == (None, None)
    office.refresh(MISFILED)
    assert office.opened().facts == MISFILED
    office.desk.take(office.the_item().id, ROSA)


@pytest.mark.promise("A2")
def test_staff_was_told_when_every_withheld_study_has_an_item(office: Office) -> None:
    both = (MISFILED.uid, SECOND.uid)
    assert not office.worklist.told(INES, both)
    office.refresh(MISFILED)
    assert office.worklist.told(INES, both[:1])
    assert not office.worklist.told(INES, both)
    assert not office.worklist.told(OTHER, both[:1])
    office.desk.settle(office.the_item().id, How.LEFT, "known", ROSA)
    assert office.worklist.told(INES, both[:1])
    office.refresh()
    office.refresh(MISFILED)
    office.refresh()
    assert not office.worklist.told(INES, both[:1])


@pytest.mark.promise("E8")
def test_while_the_database_is_away_nobody_is_said_to_be_told(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite_office.refresh(MISFILED)

    def away() -> None:
        raise DatabaseBusy

    monkeypatch.setattr(sqlite_office.house.database, "read", away)
    assert not sqlite_office.worklist.told(INES, (MISFILED.uid,))


@pytest.mark.promise("E1")
def test_the_trail_says_which_study_under_the_patients_key(office: Office) -> None:
    office.refresh(MISFILED)
    [row] = trail.rows(office.house, "worklist.opened")
    said = trail.detail(office.house, row, INES)
    assert said == {"item": office.the_item().id, "study": MISFILED.uid}
    assert (row.provider, row.request_id) == ("st-elsewhere", "req-refresh")
