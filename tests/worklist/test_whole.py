"""The worklist in the whole application, over HTTP and on either database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from smartapp.bootstrap.jobs import build_jobs
from smartapp.bootstrap.worklist import build_desk
from smartapp.db.outbox.service import Outbox
from smartapp.exchange.worklist.desk import Who
from smartapp.exchange.worklist.model import How, Item
from smartapp.settings import Worklist
from tests.dicomweb_upstream.objects import Made
from tests.fhir_upstream.fake_fhir import study
from tests.support.databases import PostgresDatabases, SqliteFiles
from tests.threats.composed import Browser, Composed, composed
from tests.threats.holding import MAIL
from tests.threats.hospital import CHEST, Record

ROSA = Who("root", "Rosa Records")
MISFILED = Made("1.9.1.1", "1.9.1", "1.9", "SE-4040", number=40)
HERS = replace(MISFILED, patient_id="SE-1001")
TOLD = "records office has been told"
DAY = 86400


@pytest.fixture
def whole(databases: SqliteFiles | PostgresDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    """Ana's record, with a study that the archive has under somebody else's number."""
    folder = tmp_path_factory.mktemp("worklist")
    with composed(databases, folder, mail=MAIL, worklist=Worklist(settled_kept=1)) as running:
        scans = [study("i1", "1.2.3", "Patient/ana"), study("i9", "1.9", "Patient/ana", description="X-ray hand")]
        running.first.take_in(Record("ana", "Ana Canaryvera", "SE-1001", scans))
        running.first.archive.held = [*CHEST, MISFILED]
        yield running


def page(browser: Browser) -> str:
    answer = browser.my()
    assert answer.status_code == 200
    return answer.text.replace("&#39;", "'")


def items(whole: Composed) -> tuple[Item, ...]:
    return build_desk(whole.ground).list(None, None, ROSA)


@pytest.mark.promise("A2")
@pytest.mark.promise("E1")
def test_from_the_patients_page_to_the_desk_and_right_again(whole: Composed) -> None:
    ana = whole.signed_in()
    said = page(ana)
    assert TOLD in said
    assert "/studies/1.9" not in said
    [item] = items(whole)
    found = build_desk(whole.ground).show(item.id, ROSA)
    assert found.facts is not None
    assert (found.facts.uid, found.facts.patient_id, found.facts.subjects) == ("1.9", "SE-4040", ("ana",))
    assert TOLD in page(ana)
    assert items(whole)[0].standing.times_seen == 1
    whole.first.archive.held = [*CHEST, HERS]
    whole.clock.advance(200)
    said = page(ana)
    assert "could not match" not in said
    assert "/studies/1.9" in said
    [item] = items(whole)
    assert item.standing.how is How.CORRECTED


def rename(whole: Composed, old: str, new: str) -> None:
    """A column that is missing: what the worklist writes fails, as on a table that another version made."""
    with whole.ground.database.write() as session:
        session.execute(text(f"ALTER TABLE work_items RENAME COLUMN {old} TO {new}"))


@pytest.mark.promise("E8")
def test_a_worklist_that_cannot_be_written_is_not_the_patients_trouble(
    whole: Composed, caplog: pytest.LogCaptureFixture
) -> None:
    ana = whole.signed_in()
    rename(whole, "mailed", "lost")
    assert "staff can look into it" in page(ana)
    assert whole.kinds().count("worklist.failed") == 1
    assert "the worklist could not be written" in caplog.text
    assert "SE-4040" not in caplog.text
    rename(whole, "lost", "mailed")
    whole.clock.advance(200)
    assert TOLD in page(ana)


@pytest.mark.promise("A2")
def test_the_worker_writes_to_the_hospitals_office(whole: Composed) -> None:
    page(whole.signed_in())
    first, second = whole.ground.settings.providers
    told = replace(first, staff_mail="records@st-elsewhere.example")
    ground = replace(whole.ground, settings=replace(whole.ground.settings, providers=(told, second)))
    for job in build_jobs(ground):
        if type(job).__name__ == "WorklistJob":
            assert job.run_once() == 1
            assert job.run_once() == 0
    [entry] = Outbox(ground.database, ground.keyring, ground.clock).claim("mail")
    assert json.loads(entry.payload)["to"] == "records@st-elsewhere.example"


@pytest.mark.promise("E1")
def test_housekeeping_removes_what_was_settled_long_ago(whole: Composed) -> None:
    page(whole.signed_in())
    build_desk(whole.ground).settle(items(whole)[0].id, How.LEFT, "known", ROSA)
    whole.house.housekeeping.tidy()
    assert len(items(whole)) == 1
    whole.clock.advance(DAY + 1)
    whole.house.housekeeping.tidy()
    assert items(whole) == ()
    assert "worklist.removed" in whole.kinds()
