"""What life does to records: numbers change, records are merged, studies are misfiled, results carry labels."""

from typing import Any

import pytest
from sqlalchemy import text

from smartapp.records.codec import decode, encode
from tests.dicomweb_upstream.objects import Made
from tests.fhir_upstream.fake_fhir import FakeFhir, fhir, report, study
from tests.records.desk import CHEST, Desk

RESTRICTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
BEFORE = Made("1.5.1.1", "1.5.1", "1.5", "SE-0431")


def _merged(ehr: FakeFhir, link: str = "replaces", **before: Any) -> None:
    """Ana's record with a link to another, which says `before` of itself."""
    identifiers = [{"system": "urn:mrn", "value": "SE-1001"}]
    other = {"type": link, "other": {"reference": "Patient/before"}}
    ehr.at("Patient/ana", {"resourceType": "Patient", "id": "ana", "identifier": identifiers, "link": [other]})
    old = [{"system": "urn:mrn", "value": "SE-0431"}]
    ehr.at("Patient/before", {"resourceType": "Patient", "id": "before", "identifier": old, "active": False, **before})


def _uids(desk: Desk) -> set[str]:
    return {found.uid for found in desk.records.studies(desk.principal(), "req").studies}


@pytest.mark.promise("A2")
@pytest.mark.clause("FHIR R4", "Patient.link")
def test_studies_of_a_record_that_was_merged_into_the_patients_are_the_patients(desk: Desk, ehr: FakeFhir) -> None:
    desk.archive.held = [*CHEST, BEFORE]
    _merged(ehr)
    assert _uids(desk) == {"1.2.3", "1.5"}


@pytest.mark.threat("A4")
@pytest.mark.parametrize("link", ["seealso", "refer", "replaced-by", ""])
def test_other_links_open_no_other_record(desk: Desk, ehr: FakeFhir, link: str) -> None:
    desk.archive.held = [*CHEST, BEFORE]
    _merged(ehr, link)
    assert _uids(desk) == {"1.2.3"}
    assert ehr.asked("Patient/before") == []


@pytest.mark.threat("A4")
@pytest.mark.parametrize("active", [True, None, "false"])
def test_a_record_that_is_still_in_use_was_not_merged(desk: Desk, ehr: FakeFhir, active: object) -> None:
    desk.archive.held = [*CHEST, BEFORE]
    _merged(ehr, active=active)
    assert _uids(desk) == {"1.2.3"}


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_merged_record_that_the_ehr_does_not_show_changes_nothing(desk: Desk, ehr: FakeFhir, status: int) -> None:
    desk.archive.held = [*CHEST, BEFORE]
    _merged(ehr)
    ehr.at("Patient/before", fhir({}, status))
    found = desk.records.studies(desk.principal(), "req")
    assert {each.uid for each in found.studies} == {"1.2.3"}
    assert found.problems == ()


def test_no_more_than_eight_merged_records_are_asked_for(desk: Desk, ehr: FakeFhir) -> None:
    links = [{"type": "replaces", "other": {"reference": f"Patient/p{n}"}} for n in range(12)]
    ehr.at("Patient/ana", {"resourceType": "Patient", "id": "ana", "identifier": [], "link": links})
    for n in range(12):
        ehr.at(f"Patient/p{n}", fhir({}, 404))
    _uids(desk)
    assert sum(len(ehr.asked(f"Patient/p{n}")) for n in range(12)) == 8


@pytest.mark.promise("A2")
def test_a_study_that_could_not_be_matched_is_told_to_the_staff_once(desk: Desk) -> None:
    desk.tell(studies=[study("i8", "1.8")])
    assert desk.records.studies(desk.principal(), "req").unmatched == 1
    desk.house.clock.advance(200)
    assert desk.records.studies(desk.principal(), "req").unmatched == 1
    with desk.house.database.read() as session:
        rows = session.execute(text("SELECT severity FROM audit_events WHERE kind = 'records.unmatched'")).all()
    assert [row.severity for row in rows] == ["high"]


def test_another_one_is_told_again(desk: Desk) -> None:
    desk.tell(studies=[study("i8", "1.8")])
    _uids(desk)
    desk.house.clock.advance(200)
    desk.archive.held = [*desk.archive.held, Made("1.9.1.1", "1.9.1", "1.9", "SE-1002")]
    desk.tell(studies=[study("i8", "1.8"), study("i9", "1.9")])
    _uids(desk)
    assert desk.kinds().count("records.unmatched") == 2


def test_what_fits_is_told_to_nobody(desk: Desk) -> None:
    _uids(desk)
    assert "records.unmatched" not in desk.kinds()


@pytest.mark.promise("A2")
def test_labels_are_kept_and_hide_nothing_from_the_patient(desk: Desk) -> None:
    reported = report(imagingStudy=[{"reference": "ImagingStudy/i1"}], meta={"security": [{"code": "PSY"}]})
    desk.tell(studies=[study(uid="1.2.3", meta={"security": [RESTRICTED]})], reports=[reported])
    assert "1.2.3" in _uids(desk)
    index = desk.records._gate.index(desk.principal(), "req")
    found = index.find("1.2.3")
    assert found is not None
    assert found.facts(desk.principal().patient).labels == {f"{RESTRICTED['system']}|R", "|PSY"}
    assert decode(encode(index)) == index


def test_the_label_of_a_report_that_is_not_shown_counts_as_well(desk: Desk) -> None:
    reported = report(
        status="cancelled", imagingStudy=[{"reference": "ImagingStudy/i1"}], meta={"security": [RESTRICTED]}
    )
    desk.tell(studies=[study(uid="1.2.3")], reports=[reported])
    found = desk.records._gate.index(desk.principal(), "req").find("1.2.3")
    assert found is not None
    assert (len(found.reports), len(found.labels)) == (0, 1)
