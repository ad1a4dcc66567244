"""What is built from the sample world is FHIR R4, and says what the world says."""

from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from smartapp.sandbox.ehr.load import before_its_heir
from smartapp.sandbox.ehr.resources.common import Setting
from smartapp.sandbox.ehr.resources.world import hospital_resources
from smartapp.sandbox.world import Hospital, build_world

HOSPITALS = build_world().hospitals


def built(hospital: Hospital, *, imaging_study: bool = True) -> list[dict[str, Any]]:
    return hospital_resources(Setting(hospital, "http://127.0.0.1:9/fhir", "http://127.0.0.1:9/dw", imaging_study))


@pytest.mark.clause("FHIR R4", "2.6")
@pytest.mark.parametrize("hospital", HOSPITALS, ids=lambda hospital: hospital.id)
def test_every_resource_validates(hospital: Hospital) -> None:
    types = set()
    for resource in built(hospital):
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        types.add(resource["resourceType"])
    wanted = {"Patient", "Organization", "Endpoint", "ServiceRequest", "ImagingStudy", "DiagnosticReport"}
    assert types >= wanted
    if hospital.id == "st-elsewhere":
        assert types >= {"RelatedPerson", "Practitioner", "Observation", "Binary"}


@pytest.mark.parametrize("imaging_study", [True, False])
@pytest.mark.parametrize("hospital", HOSPITALS, ids=lambda hospital: hospital.id)
def test_every_reference_points_to_something_built_before(hospital: Hospital, *, imaging_study: bool) -> None:
    """But for a merged record and the one that replaces it: each names the other."""
    known: set[str] = set()
    resources = built(hospital, imaging_study=imaging_study)
    for resource in resources:
        assert references(before_its_heir(resource)) <= known
        known.add(f"{resource['resourceType']}/{resource['id']}")
    assert references(resources) <= known


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["reference"]} if isinstance(node.get("reference"), str) else set()
        return own.union(*(references(value) for value in node.values()))
    return set().union(*(references(value) for value in node)) if isinstance(node, list) else set()


def test_old_record_number_is_marked_old() -> None:
    ana = next(item for item in built(HOSPITALS[0]) if item["id"] == "ana")
    assert [(one["use"], one["value"]) for one in ana["identifier"]] == [("usual", "SE-1001"), ("old", "OLD-77")]


@pytest.mark.clause("SMART Imaging Access", "ImagingStudy")
def test_study_counts_what_the_world_draws() -> None:
    study = next(item for item in built(HOSPITALS[0]) if item["id"] == "img-ana-ct-chest")
    assert study["numberOfSeries"] == len(study["series"]) == 3
    assert study["numberOfInstances"] == sum(series["numberOfInstances"] for series in study["series"]) == 600
    assert study["identifier"][0]["system"] == "urn:dicom:uid"


@pytest.mark.clause("FHIR R4", "Patient.link")
def test_a_merged_record_is_out_of_use_and_named_by_the_one_that_replaced_it() -> None:
    found = {item["id"]: item for item in built(HOSPITALS[0]) if item["resourceType"] == "Patient"}
    assert found["ines"]["link"] == [{"other": {"reference": "Patient/ines-before"}, "type": "replaces"}]
    assert [id_ for id_, patient in found.items() if not patient["active"]] == ["ines-before", "nora-before"]


@pytest.mark.clause("FHIR R4", "security-labels")
def test_a_label_is_on_the_study_and_on_its_report() -> None:
    labelled = {item["id"]: item["meta"]["security"] for item in built(HOSPITALS[0]) if "security" in item["meta"]}
    assert set(labelled) == {f"{kind}-{who}-labelled" for kind in ("img", "rep") for who in ("ines", "nora")}
    assert {label["code"] for labels in labelled.values() for label in labels} == {"R"}


def test_a_refusal_is_a_consent_that_denies_one_organization() -> None:
    (consent,) = [item for item in built(HOSPITALS[0]) if item["id"] == "refusal-ines"]
    assert (consent["status"], consent["patient"]["reference"]) == ("active", "Patient/ines")
    assert consent["provision"]["type"] == "deny"
    (actor,) = consent["provision"]["actor"]
    assert actor["reference"]["reference"] == "Organization/harbor-occupational-health"


@pytest.mark.parametrize("imaging_study", [True, False])
def test_what_nora_keeps_is_on_file_under_both_of_her_records(*, imaging_study: bool) -> None:
    """By a label, by a class of which a nested permission excepts something, and by name."""
    found = {
        item["id"]: (item["patient"]["reference"], item["provision"])
        for item in built(HOSPITALS[0], imaging_study=imaging_study)
        if item["id"].startswith("denial-nora")
    }
    by_name = found.pop("denial-nora-before-one-study", None)
    assert (by_name is not None) is imaging_study
    if by_name is not None:
        assert by_name[0] == "Patient/nora-before"
        assert by_name[1]["data"][0]["reference"]["reference"] == "ImagingStudy/img-nora-earlier"
    assert {patient for patient, _ in found.values()} == {"Patient/nora"}
    assert found["denial-nora-restricted"][1]["securityLabel"][0]["code"] == "R"
    old = found["denial-nora-old-reports"][1]
    assert (old["type"], old["class"][0]["code"]) == ("deny", "DiagnosticReport")
    assert [(each["type"], each["dataPeriod"]) for each in old["provision"]] == [("permit", {"start": "2024-01-01"})]
