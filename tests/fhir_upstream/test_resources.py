"""What real servers send, read with what is known."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smartapp.errors import NotFound, UpstreamError, UpstreamMismatch, UpstreamRefused
from smartapp.fhir.upstream.imaging_study import read_imaging_study
from smartapp.fhir.upstream.model import Accession, BodySite, Identifier, PatientLink
from smartapp.fhir.upstream.observation import read_observation
from smartapp.fhir.upstream.patient import read_patient
from smartapp.fhir.upstream.references import read_reference
from smartapp.fhir.upstream.report import read_report
from smartapp.fhir.upstream.times import read_moment
from tests.fhir_upstream.fake_fhir import Desk, FakeFhir, fhir, report, study
from tests.launch.server import said

BASE = "https://ehr.example.org/fhir"
CHICAGO = ZoneInfo("America/Chicago")
ACSN = {"coding": [{"code": "ACSN"}]}


@pytest.mark.promise("A2")
def test_an_imaging_study_in_full() -> None:
    row = study(
        started="2026-09-17T09:42:00-05:00",
        description="CT chest",
        modality=[{"code": "CT"}, {"coding": [{"code": "SR"}]}],
        numberOfSeries=2,
        numberOfInstances=600,
        basedOn=[{"reference": "ServiceRequest/o1"}, {"reference": "https://x/ServiceRequest/2"}],
        location={"display": "Main building"},
        series=[
            {"uid": "1.2.3.1", "number": 1, "modality": {"code": "CT"}, "numberOfInstances": 600,
             "bodySite": {"code": "51185008", "display": "Thorax"}, "description": "Lung"},
            {"uid": "not a uid", "number": True, "modality": "CT"},
        ],
    )  # fmt: skip
    row["identifier"].append({"type": ACSN, "system": "urn:oid:1", "value": "A1"})
    found = read_imaging_study(row, BASE, CHICAGO)
    assert found is not None
    assert found.started == datetime(2026, 9, 17, 14, 42, tzinfo=UTC)
    assert found.modalities == ("CT", "SR")
    assert (found.series_count, found.instance_count) == (2, 600)
    assert found.body_sites == (BodySite("51185008", "Thorax"),)
    assert [one.uid for one in found.series] == ["1.2.3.1"]
    assert found.accessions == (Accession("urn:oid:1", "A1"),)
    assert found.based_on == ("ServiceRequest/o1",)
    assert (found.description, found.place) == ("CT chest", "Main building")


@pytest.mark.parametrize("value", ["1.2.3", "urn:oid:1.2.3", " urn:oid:1.2.3 "])
def test_ways_to_write_a_study_uid(value: str) -> None:
    row = study(identifier=[{"system": "urn:dicom:uid", "value": value}, {"system": "urn:x", "value": "9.9"}])
    found = read_imaging_study(row, BASE, CHICAGO)
    assert found is not None
    assert found.uid == "1.2.3"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-09-17", datetime(2026, 9, 17, tzinfo=CHICAGO)),
        ("2026-09-17T10:00:00Z", datetime(2026, 9, 17, 10, tzinfo=UTC)),
        ("2026-09-17T10:00:00.123456789+02:00", datetime(2026, 9, 17, 8, 0, 0, 123456, tzinfo=UTC)),
        ("2026-09-17T10:00", datetime(2026, 9, 17, 10, tzinfo=CHICAGO)),
        ("2026-09", None),
        ("2026", None),
        ("2026-02-30", None),
        ("2026-09-17T25:00:00Z", None),
        ("20260917", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        (20260917, None),
        (None, None),
    ],
)
def test_times(value: Any, expected: datetime | None) -> None:
    found = read_moment(value, CHICAGO)
    assert found == expected
    assert found is None or found.tzinfo is not None


@pytest.mark.promise("A2")
def test_what_pairs_a_report_with_a_study() -> None:
    row = report(
        imagingStudy=[{"reference": "ImagingStudy/i1"}, {"reference": "https://other/ImagingStudy/i2"},
                      {"identifier": {"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"}}],
        basedOn=[{"reference": f"{BASE}/ServiceRequest/o1"}, {"identifier": {"type": ACSN, "value": "A1"}},
                 {"identifier": {"system": "urn:oid:1", "value": "A2"}},
                 {"identifier": {"type": {"coding": [{"code": "PLAC"}]}, "value": "P1"}}],
        identifier=[{"type": ACSN, "system": "urn:oid:1", "value": "A3"}, {"value": "R-77"}],
        issued="2026-09-17T15:10:00-05:00",
        effectivePeriod={"start": "2026-09-17"},
    )  # fmt: skip
    found = read_report(row, BASE, CHICAGO)
    assert found is not None
    assert found.imaging_study_refs == ("i1",)
    assert found.study_uids == ("1.2.3",)
    assert found.based_on == ("ServiceRequest/o1",)
    assert found.accessions == (Accession("urn:oid:1", "A3"), Accession("", "A1"), Accession("urn:oid:1", "A2"))
    assert found.effective == datetime(2026, 9, 17, tzinfo=CHICAGO)
    assert (found.title, found.imaging, found.subject) == ("CT chest", True, "ana")


def test_a_laboratory_report_without_an_order_is_left_out_and_one_with_an_order_is_no_picture() -> None:
    lab = [{"coding": [{"code": "LAB"}]}]
    assert read_report(report(category=lab), BASE, CHICAGO) is None
    found = read_report(report(category=lab, basedOn=[{"reference": "ServiceRequest/o1"}]), BASE, CHICAGO)
    assert found is not None
    assert found.imaging is False


def test_a_patient_with_old_numbers_and_other_records() -> None:
    row = {
        "resourceType": "Patient", "id": "ana", "birthDate": "1979-04-08",
        "name": [{"use": "old", "text": "Ana Lopez"}, {"use": "official", "family": "Rivera",
                  "given": ["Ana", "María"]}],
        "identifier": [{"use": "usual", "system": "urn:oid:5", "value": " SE-1 "}, {"use": "old", "value": "OLD"},
                       {"system": "urn:x"}, "nonsense"],
        "link": [{"type": "replaces", "other": {"reference": "Patient/old"}},
                 {"type": "seealso", "other": {"reference": "RelatedPerson/x"}},
                 {"type": "refer", "other": {"reference": "https://other/Patient/y"}}],
    }  # fmt: skip
    found = read_patient(row, BASE)
    assert (found.name, found.names) == ("Ana María Rivera", ("Ana María Rivera", "Ana Lopez"))
    assert found.birth_date == date(1979, 4, 8)
    assert found.identifiers == (Identifier("urn:oid:5", "SE-1", "usual"), Identifier("", "OLD", "old"))
    assert found.links == (PatientLink("replaces", "old"),)
    assert "SE-1" not in repr(found).partition("raw")[2]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"valueQuantity": {"value": 5, "unit": "mm", "comparator": "<"}}, "<5 mm"),
        ({"valueQuantity": {"value": True}}, ""),
        ({"valueString": " calm "}, "calm"),
        ({"valueBoolean": False}, "no"),
        ({"valueInteger": 3}, "3"),
        ({"valueCodeableConcept": {"coding": [{"display": "Nodule"}]}}, "Nodule"),
        ({"component": [{"code": {"text": "a"}, "valueInteger": 1}, {"code": {"text": "b"}}]}, "a: 1"),
        ({}, ""),
    ],
)
def test_findings_in_words(value: dict[str, Any], words: str) -> None:
    found = read_observation({"code": {"text": "Size"}, "status": "final", **value})
    assert found is not None
    assert found.value == words


@pytest.mark.parametrize("row", [{}, {"code": {"text": "x"}, "status": "entered-in-error"}])
def test_findings_that_are_none(row: dict[str, Any]) -> None:
    assert read_observation(row) is None


FIELDS = [
    "coding", "code", "text", "display", "value", "system", "identifier", "reference", "type", "uid", "number", "start",
    "modality", "bodySite", "name", "given", "family", "link", "other", "url", "data", "contentType",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)
TOP = st.dictionaries(
    st.sampled_from(
        [*FIELDS, "started", "issued", "series", "basedOn", "imagingStudy", "category", "presentedForm", "birthDate",
         "procedureCode", "numberOfSeries", "component", "valueQuantity", "location", "effectivePeriod"]
    ),
    JSON, max_size=6,
)  # fmt: skip


@given(TOP)
def test_whatever_a_resource_holds_it_is_read_or_left(extra: dict[str, Any]) -> None:
    read_imaging_study(study(**extra), BASE, CHICAGO)
    read_report(report(**extra), BASE, CHICAGO)
    read_patient({"id": "ana", **extra}, BASE)
    read_observation(extra)


ALPHABET = st.text(alphabet="PatienOb/.#?%@:\\ \n-_012é", max_size=40)


@pytest.mark.threat("S19")
@given(ALPHABET | st.builds("{}/{}".format, st.just(BASE), ALPHABET) | st.text(max_size=30))
@example("Patient/..")
@example("Patient/.")
@example(f"{BASE}//Patient/1")
@example(f"{BASE}evil/Patient/1")
@example("https://ehr.example.org/fhir@evil/Patient/1")
@example("Patient/1/_history/2/../../../x")
def test_a_reference_leads_to_one_resource_under_the_base_or_nowhere(value: str) -> None:
    from urllib.parse import urlsplit, urlunsplit

    found = read_reference(value, BASE)
    if found is None:
        return
    url = f"{BASE}/{found}"
    parts = urlsplit(url)
    assert urlunsplit(parts) == url
    assert (parts.netloc, parts.query, parts.fragment) == ("ehr.example.org", "", "")
    assert parts.path.split("/")[1:] == ["fhir", found.type, found.id]
    assert ".." not in (found.type, found.id)
    assert found.id


@pytest.mark.parametrize(("id_", "type_"), [("ana", "Patient"), ("a.b-C9", "ImagingStudy")])
def test_good_references(id_: str, type_: str) -> None:
    for value in (f"{type_}/{id_}", f"{BASE}/{type_}/{id_}", f"{type_}/{id_}/_history/7"):
        assert str(read_reference(value, BASE)) == f"{type_}/{id_}"


def test_the_permits_patient_is_read(desk: Desk, ehr: FakeFhir) -> None:
    ehr.at("Patient/ana", {"resourceType": "Patient", "id": "ana", "name": [{"text": "Ana Rivera"}]})
    for permit in (desk.sign_in, desk.index, desk.permit()):
        assert desk.reader.patient(permit).name == "Ana Rivera"


@pytest.mark.parametrize("row", [{"resourceType": "Patient", "id": "ben"}, {"resourceType": "Person", "id": "ana"}])
def test_an_answer_about_somebody_else_is_refused(desk: Desk, ehr: FakeFhir, row: dict[str, Any]) -> None:
    ehr.at("Patient/ana", row)
    with pytest.raises(UpstreamMismatch):
        desk.reader.patient(desk.sign_in)


@pytest.mark.parametrize(
    ("status", "error"), [(404, NotFound), (410, NotFound), (403, UpstreamRefused), (400, UpstreamError)]
)
def test_a_patient_who_cannot_be_read(desk: Desk, ehr: FakeFhir, status: int, error: type[Exception]) -> None:
    ehr.at("Patient/ana", fhir({}, status))
    with pytest.raises(error):
        desk.reader.patient(desk.sign_in)


@pytest.mark.clause("SMART 2.2", "202")
def test_the_person_who_signed_in(desk: Desk, ehr: FakeFhir) -> None:
    ehr.at("RelatedPerson/dana", {"resourceType": "RelatedPerson", "id": "dana"})
    assert desk.reader.fhir_user(desk.sign_in, "RelatedPerson/dana") == {"resourceType": "RelatedPerson", "id": "dana"}
    ehr.at("Practitioner/lee", said({}, 403, "application/fhir+json"))
    asked = len(ehr.server.log)
    for reference in ("Practitioner/lee", "RelatedPerson/gone"):
        assert desk.reader.fhir_user(desk.sign_in, reference) is None
    assert len(ehr.server.log) == asked + 2
    for reference in ("Device/1", "https://evil.example/Patient/1", "../metadata", "Observation/1"):
        assert desk.reader.fhir_user(desk.sign_in, reference) is None
    assert len(ehr.server.log) == asked + 2
