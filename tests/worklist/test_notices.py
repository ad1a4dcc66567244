"""Letters to staff: at most one a day, when something new waits, and without a word about anybody."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest

from smartapp.db.outbox.service import Outbox
from smartapp.exchange.worklist.notices import Notices
from smartapp.identity.model import PatientKey
from smartapp.jobs.worklist import WorklistJob
from tests.launch.house import provider, settings
from tests.worklist.office import INES, MISFILED, ROSA, Office

DAY = 86400
SECOND = replace(MISFILED, uid="2.25.73310284420002")


def notices(office: Office, address: str = "records@st-elsewhere.example") -> Notices:
    house = office.house
    first = provider("https://ehr.example.org/fhir", ("https://ehr.example.org",), staff_mail=address)
    second = provider("https://two.example.org/fhir", ("https://two.example.org",), id="mercy")
    return Notices(settings(first, second), house.database, outbox(office), house.clock)


def outbox(office: Office) -> Outbox:
    return Outbox(office.house.database, office.house.keyring, office.house.clock)


def letters(office: Office) -> list[dict[str, Any]]:
    return [json.loads(entry.payload) for entry in outbox(office).claim("mail")]


@pytest.mark.promise("A2")
@pytest.mark.threat("T18")
def test_the_office_is_told_how_many_wait_and_of_nobody(office: Office) -> None:
    assert notices(office).run_once() == 0
    office.refresh(MISFILED, SECOND)
    assert notices(office).run_once() == 1
    [letter] = letters(office)
    assert (letter["to"], letter["language"]) == ("records@st-elsewhere.example", "en")
    assert letter["subject"] == "2 items wait for you in the imaging portal"
    assert "smartapp staff worklist --provider st-elsewhere --state open" in letter["text"]
    for told in (MISFILED.uid, INES.patient_id, MISFILED.patient_id, MISFILED.description, *MISFILED.accessions):
        assert told not in json.dumps(letter)


@pytest.mark.promise("A2")
def test_one_letter_a_day_and_what_came_meanwhile_is_in_the_next(office: Office) -> None:
    office.refresh(MISFILED)
    assert notices(office).run_once() == 1
    office.refresh(MISFILED, SECOND)
    office.house.clock.advance(DAY - 121)
    assert notices(office).run_once() == 0
    office.house.clock.advance(1)
    assert notices(office.another()).run_once() == 1
    assert [letter["subject"][:7] for letter in letters(office)] == ["1 item ", "2 items"]
    office.house.clock.advance(9 * DAY)
    assert notices(office).run_once() == 0


def test_what_opens_again_is_new_and_what_somebody_took_is_not(office: Office) -> None:
    office.refresh(MISFILED)
    office.desk.take(office.the_item().id, ROSA)
    assert notices(office).run_once() == 0
    office.refresh()
    office.refresh(MISFILED)
    assert notices(office).run_once() == 1


def test_without_an_address_nobody_is_written_to(office: Office) -> None:
    office.refresh(MISFILED)
    office.refresh(MISFILED, patient=PatientKey("mercy", "m-ines"))
    assert notices(office, "").run_once() == 0
    assert outbox(office).waiting().waiting == 0


@pytest.mark.promise("E8")
@pytest.mark.threat("F25")
def test_workers_at_once_write_one_letter(office: Office) -> None:
    office.refresh(MISFILED)
    together = Barrier(4)

    def write(_number: int) -> int:
        mine = notices(office.another())
        together.wait(timeout=30)
        return mine.run_once()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(write, range(4))) == 1
    assert len(letters(office)) == 1


def test_the_job_looks_once_a_minute(sqlite_office: Office) -> None:
    job = WorklistJob(notices(sqlite_office), sqlite_office.house.clock)
    assert job.run_once() == 0
    sqlite_office.refresh(MISFILED, later=59)
    assert job.run_once() == 0
    sqlite_office.house.clock.advance(1)
    assert job.run_once() == 1
