"""What each refresh tells, once, of studies that EHR and PACS give to different people."""

from functools import partial
from typing import Any

import pytest

from smartapp.identity.model import PatientKey
from smartapp.records.unmatched import Refreshed, Unmatched
from tests.dicomweb_upstream.archive import Asked, Reply, rows_reply
from tests.fhir_upstream.fake_fhir import FakeFhir, fhir, study
from tests.records.desk import BENS, Desk

Told = list[tuple[PatientKey, Refreshed, str]]


@pytest.fixture
def told(desk: Desk) -> Told:
    """What was told so far."""
    found: Told = []
    keeper: Any = desk.records._gate._keeper
    keeper.when_refreshed(lambda *said: found.append(said))
    return found


def look(desk: Desk, request_id: str = "req-look") -> None:
    desk.records.studies(desk.principal(), request_id)


def unmatched(told: Told) -> tuple[Unmatched, ...]:
    return told[-1][1].unmatched


@pytest.mark.promise("A2")
def test_each_source_is_told_by_its_own_words(desk: Desk, told: Told) -> None:
    desk.tell(studies=[study("i8", "1.8", started="2020-05-06")])
    look(desk)
    [(patient, found, request_id)] = told
    assert (patient, request_id) == (PatientKey("st-elsewhere", "ana"), "req-look")
    assert (found.at, found.complete) == (desk.house.clock.now(), True)
    [one] = found.unmatched
    assert (one.uid, one.ours, one.subjects, one.imaging_studies) == ("1.8", ("SE-1001", "OLD-77"), ("ana",), ("i8",))
    assert (one.patient_id, one.issuer) == (BENS.patient_id, BENS.issuer)
    assert one.started is not None


@pytest.mark.promise("A2")
def test_looking_again_tells_nothing_until_the_next_refresh(desk: Desk, told: Told) -> None:
    desk.tell(studies=[study("i8", "1.8")])
    for _ in range(3):
        look(desk)
    look(desk.restart())
    assert len(told) == 1
    desk.house.clock.advance(200)
    look(desk)
    assert len(told) == 2
    assert unmatched(told)[0].uid == "1.8"


def test_an_ehr_that_answers_with_anothers_studies_is_no_word_on_the_patients(desk: Desk, told: Told) -> None:
    desk.tell(studies=[study("i1", "1.2.3", "Patient/ben")])
    look(desk)
    assert (told[-1][1].complete, unmatched(told)) == (False, ())


@pytest.mark.promise("A2")
def test_a_study_that_the_archive_files_under_two_people_is_told_by_the_other(desk: Desk, told: Told) -> None:
    rows = [
        {"0020000D": {"vr": "UI", "Value": ["1.2.3"]}, "00100020": {"vr": "LO", "Value": [number]}}
        for number in ("SE-1002", "SE-1001")
    ]
    for order in (rows, rows[::-1]):
        desk.archive.script = partial(_studies, order)
        desk.tell(studies=[study("i1", "1.2.3")])
        desk.house.clock.advance(200)
        look(desk)
        [one] = unmatched(told)
        assert one.patient_id == "SE-1002"


def _studies(rows: list[dict[str, Any]], asked: Asked) -> Reply | None:
    return rows_reply(rows) if asked.path.endswith("/studies") else None


@pytest.mark.promise("E8")
def test_while_the_archive_is_away_nothing_is_told(desk: Desk, told: Told) -> None:
    desk.tell(studies=[study("i8", "1.8")])
    desk.archive.script = lambda _asked: Reply(503)
    look(desk)
    assert told == []


@pytest.mark.promise("E8")
@pytest.mark.parametrize("status", [403, 404])
def test_an_ehr_that_tells_no_studies_is_no_word_that_they_are_right(
    desk: Desk, told: Told, ehr: FakeFhir, status: int
) -> None:
    ehr.at("ImagingStudy", fhir({"resourceType": "OperationOutcome"}, status))
    look(desk)
    assert (told[-1][1].complete, unmatched(told)) == (False, ())
