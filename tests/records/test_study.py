import base64
from typing import Any

import pytest

from smartapp.errors import NotFound, UpstreamRefused
from tests.dicomweb_upstream.archive import Asked, Reply
from tests.fhir_upstream.fake_fhir import FakeFhir, fhir, report, study
from tests.records.desk import Desk

NOTE = {"contentType": "text/plain", "data": base64.b64encode(b"a note").decode()}
OF_CHEST: dict[str, Any] = {
    "imagingStudy": [{"reference": "ImagingStudy/i1"}],
    "presentedForm": [NOTE],
    "conclusion": "Well.",
}


@pytest.fixture
def told(desk: Desk, ehr: FakeFhir) -> Desk:
    desk.tell(studies=[study(uid="1.2.3"), study("i8", "1.8")], reports=[report(**OF_CHEST), report("r2")])
    ehr.at("DiagnosticReport/r1", report(**OF_CHEST))
    ehr.at("DiagnosticReport/r2", report("r2"))
    return desk


@pytest.mark.promise("A2")
def test_a_study_stands_beside_its_report(told: Desk) -> None:
    page = told.records.study(told.principal(), "1.2.3", "req")
    assert [(each.uid, each.instance_count, each.pictures) for each in page.series] == [
        ("1.2.3.1", 2, True),
        ("1.2.3.2", 1, True),
    ]
    assert [each.conclusion for each in page.reports] == ["Well."]
    assert page.problems == ()


def test_a_file_of_a_report_comes_with_a_name_to_find_it_by(told: Desk) -> None:
    found = told.records.attachment(told.principal(), "1.2.3", "r1", 0, "req")
    assert found.body == b"a note"
    assert found.filename == "2026-09-17-report.txt"


@pytest.mark.parametrize(("uid", "report_id"), [("1.2.3", "r2"), ("1.4", "r1"), ("1.8", "r1"), ("9.9", "r1")])
def test_a_report_of_another_study_is_not_found_and_not_asked_for(
    told: Desk, ehr: FakeFhir, uid: str, report_id: str
) -> None:
    with pytest.raises(NotFound):
        told.records.attachment(told.principal(), uid, report_id, 0, "req")
    assert ehr.asked(f"DiagnosticReport/{report_id}") == []


def test_a_withheld_study_looks_like_none(told: Desk) -> None:
    for uid in ("1.8", "9.9"):
        with pytest.raises(NotFound):
            told.records.study(told.principal(), uid, "req")
    assert told.kinds().count("authz.denied") == 2


@pytest.mark.promise("E8")
def test_without_the_pacs_the_report_is_still_read(told: Desk) -> None:
    told.records.studies(told.principal(), "req")
    told.archive.script = lambda _asked: Reply(503)
    page = told.records.study(told.principal(), "1.2.3", "req")
    assert (page.series, page.problems) == ((), ("pacs-missing",))
    assert len(page.reports) == 1


@pytest.mark.promise("E8")
def test_without_the_report_the_pictures_are_still_seen(told: Desk, ehr: FakeFhir) -> None:
    ehr.at("DiagnosticReport/r1", fhir({}, 500))
    page = told.records.study(told.principal(), "1.2.3", "req")
    assert (page.reports, page.problems) == ((), ("ehr-unreadable",))
    assert len(page.series) == 2


def test_a_dead_credential_is_said_and_not_hidden(told: Desk, ehr: FakeFhir) -> None:
    ehr.at("DiagnosticReport/r1", fhir({}, 401))
    with pytest.raises(UpstreamRefused):
        told.records.study(told.principal(), "1.2.3", "req")


def test_a_study_without_images_has_a_page(desk: Desk) -> None:
    desk.tell(studies=[study("i7", "1.7.7")])
    page = desk.records.study(desk.principal(), "1.7.7", "req")
    assert (page.series, page.summary.images_available) == ((), False)
    with pytest.raises(NotFound):
        desk.records.images.retrieve(desk.principal(), "1.7.7", None, None, "req")


def test_series_without_pictures_are_told_apart(desk: Desk) -> None:
    def reports_too(asked: Asked) -> Reply | None:
        if not asked.path.endswith("/series"):
            return None
        reply = desk.archive._honest(asked)
        reply.content = reply.content.replace(b'["CT"]', b'["SR"]')
        return reply

    desk.archive.script = reports_too
    page = desk.records.study(desk.principal(), "1.2.3", "req")
    assert {each.pictures for each in page.series} == {False}
