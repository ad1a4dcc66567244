"""With a token of backend services the EHR answers about everybody: what is the patient's is ours alone to tell."""

import base64
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from smartapp.consent.model import AnyPermit, IndexPermit, Permit
from smartapp.errors import NotFound, UpstreamMalformed, UpstreamMismatch
from smartapp.fhir.upstream.model import PatientRecord
from tests.fhir_upstream.fake_fhir import Desk, FakeFhir, bundle, fhir, report, study
from tests.launch.server import Asked, Said

pytestmark = [pytest.mark.promise("B3"), pytest.mark.threat("A2")]
FILE = b"%PDF-1.7 of Ana"


@dataclass
class System:
    """A TokenSource for a grant that stands on backend services."""

    shown: list[str] = field(default_factory=list)

    def bearer(self, permit: AnyPermit) -> str:
        assert permit.credential_id == "sys-1"
        return "system-token"

    def rejected(self, permit: AnyPermit, token: str) -> None:
        raise AssertionError(permit, token)


@pytest.fixture
def system(desk: Desk) -> Desk:
    desk.tokens = System()  # type: ignore[assignment] # the other of the two sources that there are
    desk.reader = desk.reader_within(desk.house.settings.upstreams)
    return desk


def index(desk: Desk) -> IndexPermit:
    return replace(desk.index, credential_id="sys-1")


def permit(desk: Desk) -> Permit:
    own = desk.permit()
    return replace(own, principal=replace(own.principal, credential_id="sys-1"))


def file_of(row: dict[str, Any]) -> dict[str, Any]:
    data = base64.b64encode(FILE).decode()
    return {"resourceType": "Binary", "id": "b1", "contentType": "application/pdf", "data": data, **row}


def with_file(url: str = "Binary/b1") -> dict[str, Any]:
    return report(presentedForm=[{"contentType": "application/pdf", "url": url}])


def test_every_search_is_for_the_patient_and_every_row_is_looked_at(system: Desk, ehr: FakeFhir) -> None:
    """This EHR takes no notice of the search's parameters, as some do to clients that they trust."""
    ehr.at("ImagingStudy", bundle(study("i1"), study("i2", "1.2.4", "Patient/ben"), study("i3", "1.2.5", "Group/all")))
    ehr.at("DiagnosticReport", bundle(report("r1", subject="Patient/ben"), report("r2", imagingStudy=[{"a": "b"}])))
    permitted = index(system)
    assert [each.id for each in system.reader.imaging_studies(permitted).items] == ["i1"]
    assert "r1" not in [each.id for each in system.reader.reports(permitted).items]
    assert all(asked.query["patient"] == "ana" for asked in ehr.server.log)
    assert system.house.kinds().count("ehr.mismatch") == 2


def test_another_patient_instead_of_the_asked_one_is_a_mismatch(system: Desk, ehr: FakeFhir) -> None:
    ehr.at("Patient/ana", {"resourceType": "Patient", "id": "ben"})
    with pytest.raises(UpstreamMismatch):
        system.reader.patient(index(system))


@pytest.mark.threat("A19")
@pytest.mark.parametrize(
    ("links", "found"),
    [
        ([], 1),
        ([{"type": "replaced-by", "other": {"reference": "Patient/ben"}}], 1),
        ([{"type": "seealso", "other": {"reference": "Patient/ana"}}], 1),
        ([{"type": "replaced-by", "other": {"reference": "Patient/ana"}}], 2),
    ],
)
def test_a_merged_record_counts_only_if_it_says_so_itself(
    system: Desk, ehr: FakeFhir, links: list[dict[str, Any]], found: int
) -> None:
    old = [{"system": "urn:oid:1", "value": "old"}]
    ehr.at("Patient/old", {"resourceType": "Patient", "id": "old", "active": False, "identifier": old, "link": links})
    ehr.at("Patient/ana", ana := {
        "resourceType": "Patient", "id": "ana", "identifier": [{"system": "urn:oid:1", "value": "new"}],
        "link": [{"type": "replaces", "other": {"reference": "Patient/old"}}],
    })  # fmt: skip
    assert ana
    record: PatientRecord = system.reader.patient(index(system))
    assert len(system.reader.identifiers(index(system), record)) == found


def test_the_patients_own_file_comes(system: Desk, ehr: FakeFhir) -> None:
    ehr.at("DiagnosticReport/r1", with_file())
    for said in ({}, {"securityContext": {"reference": "Patient/ana"}}):
        ehr.at("Binary/b1", file_of(said))
        assert system.reader.attachment(permit(system), "r1", 0) == ("application/pdf", FILE)
    assert {asked.headers["accept"] for asked in ehr.asked("Binary/b1")} == {"application/fhir+json"}


def test_a_file_under_the_protection_of_the_patients_resource_comes(system: Desk, ehr: FakeFhir) -> None:
    ehr.at("DiagnosticReport/r1", with_file())
    ehr.at("DocumentReference/d1", {
        "resourceType": "DocumentReference", "id": "d1", "subject": {"reference": "Patient/ana"},
    })  # fmt: skip
    ehr.at("Binary/b1", file_of({"securityContext": {"reference": "DocumentReference/d1"}}))
    assert system.reader.attachment(permit(system), "r1", 0)[1] == FILE


@pytest.mark.parametrize(
    "context",
    [
        {"reference": "Patient/ben"},
        {"reference": "DocumentReference/d2"},
        {"reference": "https://elsewhere.example/Patient/ana"},
        {"display": "somebody"},
        "Patient/ana",
    ],
)
def test_a_file_under_anothers_protection_does_not(system: Desk, ehr: FakeFhir, context: Any) -> None:
    ehr.at("DiagnosticReport/r1", with_file())
    ehr.at("DocumentReference/d2", {
        "resourceType": "DocumentReference", "id": "d2", "subject": {"reference": "Patient/ben"},
    })  # fmt: skip
    ehr.at("Binary/b1", file_of({"securityContext": context}))
    with pytest.raises(UpstreamMismatch):
        system.reader.attachment(permit(system), "r1", 0)
    assert system.reader.report(permit(system), "r1").texts == ()


def test_a_file_that_says_nothing_of_itself_does_not(system: Desk, ehr: FakeFhir) -> None:
    ehr.at("DiagnosticReport/r1", with_file())
    ehr.at("Binary/b1", Said(FILE, media="application/pdf"))
    with pytest.raises(UpstreamMalformed):
        system.reader.attachment(permit(system), "r1", 0)


@pytest.mark.parametrize("url", ["Patient/ben", "DiagnosticReport/r2", "DocumentReference/d1"])
def test_a_form_that_names_something_else_than_a_file_is_not_fetched(system: Desk, ehr: FakeFhir, url: str) -> None:
    ehr.at("DiagnosticReport/r1", with_file(url))
    with pytest.raises(NotFound):
        system.reader.attachment(permit(system), "r1", 0)
    assert [asked.path for asked in ehr.server.log] == ["/fhir/DiagnosticReport/r1"]


def test_a_finding_of_somebody_else_is_left_out(system: Desk, ehr: FakeFhir) -> None:
    ehr.at("DiagnosticReport/r1", report(result=[{"reference": "Observation/o1"}]))
    ehr.at("Observation/o1", {
        "resourceType": "Observation", "id": "o1", "status": "final", "subject": {"reference": "Patient/ben"},
        "code": {"text": "Size"}, "valueString": "of Ben's",
    })  # fmt: skip
    document = system.reader.report(permit(system), "r1")
    assert document.observations == ()
    assert document.problems == ("report-finding",)


def test_a_report_of_somebody_else_is_a_mismatch(system: Desk, ehr: FakeFhir) -> None:
    ehr.at("DiagnosticReport/r1", report(subject="Patient/ben"))
    with pytest.raises(UpstreamMismatch):
        system.reader.report(permit(system), "r1")
    with pytest.raises(UpstreamMismatch):
        system.reader.attachment(permit(system), "r1", 0)


def test_a_representative_of_somebody_else_is_not_shown(system: Desk, ehr: FakeFhir) -> None:
    for id_, patient in (("a", "ana"), ("b", "ben")):
        ehr.at(f"RelatedPerson/{id_}", {
            "resourceType": "RelatedPerson", "id": id_, "patient": {"reference": f"Patient/{patient}"},
        })  # fmt: skip
    assert system.reader.person(permit(system), "RelatedPerson/a")["id"] == "a"
    with pytest.raises(NotFound):
        system.reader.person(permit(system), "RelatedPerson/b")


@pytest.mark.clause("SMART 2.2", "267", "268")
def test_the_token_does_not_follow_a_page_elsewhere(system: Desk, ehr: FakeFhir) -> None:
    def page(_asked: Asked) -> Said:
        return fhir(bundle(study(), following="http://127.0.0.1:9/fhir/ImagingStudy?page=2"))

    ehr.at("ImagingStudy", page)
    assert len(system.reader.imaging_studies(index(system)).items) == 1
    assert len(ehr.server.log) == 1
