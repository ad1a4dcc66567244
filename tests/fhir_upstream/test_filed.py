"""Consents as they are read: of the patient, active, with whom they name, and cut down to what matters."""

from typing import Any

import pytest

from smartapp.consent.directives.model import Named
from smartapp.errors import UpstreamError, UpstreamRefused
from smartapp.fhir.upstream.patient import read_patient
from tests.consent.directives.made import OPT_OUT, actor, consent
from tests.fhir_upstream.fake_fhir import Desk, FakeFhir, bundle, fhir

pytestmark = pytest.mark.promise("B5")
ANA_ALONE = read_patient({"resourceType": "Patient", "id": "ana"}, "")
HARBOR = {"resourceType": "Organization", "id": "h", "name": "Harbor", "alias": ["HOH"], "identifier": [
    {"system": "urn:npi", "value": "1"}]}  # fmt: skip


def test_consents_are_asked_for_by_patient_and_status_and_cut_down(desk: Desk, ehr: FakeFhir) -> None:
    data = [{"meaning": "instance", "reference": {"reference": f"{ehr.base}/ImagingStudy/i1"}}]
    ehr.at("Consent", bundle(consent({"type": "deny", "data": data}, OPT_OUT, sourceAttachment={"data": "x" * 9999})))
    [one] = desk.reader.consents(desk.index, ANA_ALONE).items
    assert ehr.asked("Consent")[0].query == {"patient": "ana", "_count": "100", "status": "active"}
    assert one.resource["provision"]["data"][0]["reference"] == {"reference": "ImagingStudy/i1"}
    assert "sourceAttachment" not in one.resource
    assert one.named == {}


def test_whom_they_name_is_looked_up_once_and_nobody_else(desk: Desk, ehr: FakeFhir) -> None:
    ehr.at("Organization/h", HARBOR)
    written = ["h", f"{ehr.base}/Organization/h", "https://elsewhere.example/fhir/Organization/x", "hidden"]
    named = [actor(each if ":" in each else f"Organization/{each}") for each in written]
    named += [actor("Practitioner/lee"), actor("#in")]
    within = {"resourceType": "Device", "id": "in", "deviceName": [{"name": "An app"}]}
    one = consent(
        {"type": "deny", "actor": named, "provision": [{"type": "permit", "actor": named}]}, contained=[within]
    )
    ehr.at("Organization/hidden", fhir({}, 403))
    ehr.at("Consent", bundle(one, {**one, "id": "c2"}))
    [found, again] = desk.reader.consents(desk.index, ANA_ALONE).items
    harbor = Named("Organization", ("Harbor", "HOH"), (("urn:npi", "1"),))
    assert found.named == again.named == {"Organization/h": harbor, "#in": Named("Device", ("An app",))}
    asked = [each.path for each in ehr.server.log]
    assert sorted(asked) == ["/fhir/Consent", "/fhir/Organization/h", "/fhir/Organization/hidden"]


@pytest.mark.parametrize(("status", "error"), [(500, UpstreamError), (401, UpstreamRefused)])
def test_an_ehr_that_fails_at_a_name_fails_the_reading(
    desk: Desk, ehr: FakeFhir, status: int, error: type[Exception]
) -> None:
    ehr.at("Organization/h", fhir({}, status))
    ehr.at("Consent", bundle(consent({"type": "deny", "actor": [actor("Organization/h")]})))
    with pytest.raises(error):
        desk.reader.consents(desk.index, ANA_ALONE)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (fhir({}, 403), "Consent-forbidden"),
        (fhir({}, 404), "Consent-not-offered"),
        (fhir(bundle(consent(patient={"reference": "Patient/ben"}))), "Consent-foreign"),
        (fhir(bundle(consent(patient={"display": "Ana"}))), "Consent-foreign"),
        (fhir(bundle({"resourceType": "Consent"})), "Consent-unreadable"),
        (fhir(bundle(following="?_count=100&patient=ana&status=active")), ""),
    ],
)
def test_what_is_missing_is_a_problem(desk: Desk, ehr: FakeFhir, answer: Any, problem: str) -> None:
    ehr.at("Consent", answer)
    fetched = desk.reader.consents(desk.index, ANA_ALONE)
    assert fetched.items == []
    assert fetched.problems == ((problem,) if problem else ("ehr-paging",))
