import pytest
from sqlalchemy import text

from smartapp.errors import UpstreamError, UpstreamMismatch, UpstreamRefused
from smartapp.records.codec import VERSION, decode, encode
from tests.dicomweb_upstream.archive import Reply
from tests.fhir_upstream.fake_fhir import FakeFhir, bundle, fhir, report, study
from tests.records.desk import CHEST, Desk


def _uids(desk: Desk) -> list[str]:
    return [found.uid for found in desk.records.studies(desk.principal(), "req").studies]


@pytest.mark.promise("A2")
def test_the_list_is_of_every_identifier_and_nobody_else(desk: Desk) -> None:
    desk.tell(studies=[study(uid="1.2.3"), study("i2", "1.7.7", started="2020-01-01")], reports=[
        report(imagingStudy=[{"reference": "ImagingStudy/i1"}])])  # fmt: skip
    found = desk.records.studies(desk.principal(), "req")
    assert {each.uid: each.images_available for each in found.studies} == {"1.2.3": True, "1.4": True, "1.7.7": False}
    assert found.problems == ()
    assert found.unmatched == 0
    chest = found.studies[0]
    assert (chest.report_status, chest.report_ids, chest.series_count, chest.place) == (
        "final",
        ("r1",),
        2,
        "St. Elsewhere",
    )


def test_a_study_that_the_pacs_gives_to_another_is_withheld_and_counted(desk: Desk) -> None:
    desk.tell(studies=[study("i8", "1.8")])
    found = desk.records.studies(desk.principal(), "req")
    assert "1.8" not in {each.uid for each in found.studies}
    assert found.unmatched == 1


def test_it_is_asked_anew_only_when_it_is_too_old_and_recorded_each_time(desk: Desk) -> None:
    _uids(desk)
    asked = desk.calls()
    _uids(desk)
    assert desk.calls() == asked
    desk.house.clock.advance(119)
    assert len(_uids(desk.restart())) == 2
    assert desk.calls() == asked
    desk.house.clock.advance(2)
    _uids(desk)
    assert desk.calls() > asked
    assert desk.kinds().count("access.index") == 2


def test_what_is_stored_is_sealed_and_for_the_patient_alone(desk: Desk) -> None:
    _uids(desk)
    with desk.house.database.read() as session:
        rows = session.execute(text("SELECT patient_ref, sealed FROM study_index")).all()
    assert len(rows) == 1
    assert b"1.2.3" not in rows[0].sealed
    assert "ana" not in rows[0].patient_ref


def test_an_index_whose_key_was_destroyed_is_fetched_anew(desk: Desk) -> None:
    _uids(desk)
    asked = desk.calls()
    desk.house.datakeys.destroy("st-elsewhere/ana")
    assert len(_uids(desk.restart())) == 2
    assert desk.calls() > asked


@pytest.mark.promise("E8")
@pytest.mark.threat("F5")
def test_without_the_ehr_an_hour_old_list_is_shown_with_a_word_and_then_none(desk: Desk, ehr: FakeFhir) -> None:
    assert len(_uids(desk)) == 2
    desk.house.clock.advance(3000)
    ehr.at("ImagingStudy", fhir({}, 503))
    found = desk.records.studies(desk.principal(), "req")
    assert (len(found.studies), found.problems) == (2, ("ehr-stale",))
    desk.house.clock.advance(700)
    with pytest.raises(UpstreamError):
        _uids(desk)


def test_after_a_failed_refresh_the_next_one_waits(desk: Desk, ehr: FakeFhir) -> None:
    _uids(desk)
    desk.house.clock.advance(200)
    ehr.at("ImagingStudy", fhir({}, 500))
    _uids(desk)
    asked = len(ehr.asked("Patient/ana"))
    _uids(desk)
    assert len(ehr.asked("Patient/ana")) == asked
    desk.house.clock.advance(16)
    desk.tell()
    assert desk.records.studies(desk.principal(), "req").problems == ()


@pytest.mark.promise("E8")
def test_without_the_pacs_the_ehrs_word_is_shown_without_images(desk: Desk) -> None:
    desk.tell(studies=[study(uid="1.2.3")])
    desk.archive.script = lambda _asked: Reply(503)
    found = desk.records.studies(desk.principal(), "req")
    assert [(each.uid, each.images_available) for each in found.studies] == [("1.2.3", False)]
    assert found.problems == ("pacs-missing",)


def test_without_the_pacs_a_list_of_the_last_hour_is_preferred(desk: Desk) -> None:
    desk.tell(studies=[study(uid="1.2.3")])
    _uids(desk)
    desk.house.clock.advance(200)
    desk.archive.script = lambda _asked: Reply(503)
    found = desk.records.studies(desk.principal(), "req")
    assert (len(found.studies), found.problems) == (2, ("pacs-stale",))


def test_what_the_pacs_once_contradicted_stays_withheld_while_it_is_silent(desk: Desk) -> None:
    desk.tell(studies=[study("i8", "1.8")])
    _uids(desk)
    desk.house.clock.advance(4000)
    desk.archive.script = lambda _asked: Reply(503)
    found = desk.records.studies(desk.principal(), "req")
    assert (found.studies, found.unmatched, found.problems) == ((), 1, ("pacs-missing",))


def test_a_dead_credential_is_said_at_once(desk: Desk, ehr: FakeFhir) -> None:
    _uids(desk)
    desk.house.clock.advance(200)
    ehr.at("Patient/ana", fhir({}, 401))
    with pytest.raises(UpstreamRefused):
        _uids(desk)


def test_an_ehr_that_answers_with_somebody_else_is_not_covered_up(desk: Desk, ehr: FakeFhir) -> None:
    _uids(desk)
    desk.house.clock.advance(200)
    ehr.at("Patient/ana", {"resourceType": "Patient", "id": "ben", "identifier": []})
    with pytest.raises(UpstreamMismatch):
        _uids(desk)


def test_an_ehr_without_imaging_studies_lacks_nothing(desk: Desk, ehr: FakeFhir) -> None:
    ehr.at("ImagingStudy", fhir({"resourceType": "OperationOutcome"}, 404))
    found = desk.records.studies(desk.principal(), "req")
    assert (len(found.studies), found.problems) == (2, ())


def test_a_resource_that_cannot_be_read_is_said(desk: Desk, ehr: FakeFhir) -> None:
    ehr.at("ImagingStudy", bundle({**study(), "identifier": []}))
    assert desk.records.studies(desk.principal(), "req").problems == ("ehr-unreadable",)


def test_an_index_is_what_it_was_after_being_stored(desk: Desk) -> None:
    desk.tell(studies=[study(uid="1.2.3", started="2020-01-01T00:00:00Z")], reports=[
        report(imagingStudy=[{"reference": "ImagingStudy/i1"}])])  # fmt: skip
    index = desk.records._gate.index(desk.principal(), "req")
    assert decode(encode(index)) == index
    of_another_layout = encode(index).replace(b'"version":%d' % VERSION, b'"version":%d' % (VERSION - 1))
    assert decode(of_another_layout) is None
    assert index.find(CHEST[0].study) is not None
