"""The scopes that the shipped configuration asks for are those that reading takes: all of them, and no others."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from smartapp.consent.model import Action
from tests.fhir_upstream.fake_fhir import Desk, FakeFhir, bundle, report, study
from tests.launch.server import Said

CONFIG = Path(__file__).parents[2] / "config" / "providers.toml"
GRAMMAR = re.compile(r"(patient|user|system)/(\*|[A-Z][A-Za-z]+)\.(c?r?u?d?s?)(\?[^=&]+=[^=&]+(&[^=&]+=[^=&]+)*)?")


def everything_read(desk: Desk, ehr: FakeFhir) -> set[tuple[str, str]]:
    """Reads all there is but who signed in (`fhirUser` is for that); the (type, letter) of each request."""
    ehr.at("Patient/ana", {
        "resourceType": "Patient", "id": "ana", "link": [{"type": "replaces", "other": {"reference": "Patient/old"}}],
    })  # fmt: skip
    ehr.at("Patient/old", {"resourceType": "Patient", "id": "old", "active": False})
    ehr.at("ImagingStudy", bundle(study()))
    ehr.at("DiagnosticReport", bundle(report()))
    ehr.at("Observation/o1", {"resourceType": "Observation", "id": "o1", "subject": {"reference": "Patient/ana"}})
    ehr.at("Binary/b1", Said(b"%PDF-1.7", 200, "application/pdf"))
    ehr.at("Practitioner/lee", {"resourceType": "Practitioner", "id": "lee", "name": [{"text": "Dr. Lee"}]})
    ehr.at("Organization/se", {"resourceType": "Organization", "id": "se", "name": "St. Elsewhere"})
    ehr.at("DiagnosticReport/r1", report(
        result=[{"reference": "Observation/o1"}], performer=[{"reference": "Organization/se"}],
        resultsInterpreter=[{"reference": "Practitioner/lee"}],
        presentedForm=[{"contentType": "application/pdf", "url": "Binary/b1"}],
    ))  # fmt: skip
    reader, permit = desk.reader, desk.permit(Action.READ_REPORT)
    reader.identifiers(desk.index, reader.patient(desk.index))
    reader.imaging_studies(desk.index)
    reader.reports(desk.index)
    reader.report(permit, "r1")
    reader.attachment(permit, "r1", 0)
    paths = [asked.path.removeprefix("/fhir/").split("/") for asked in ehr.server.log]
    return {(path[0], "r" if len(path) == 2 else "s") for path in paths}


def shipped() -> list[str]:
    scopes: list[str] = tomllib.loads(CONFIG.read_text())["provider"][0]["scopes"]
    return scopes


@pytest.mark.clause("SMART 2.2", "46", "121", "125", "148")
def test_all_that_is_read_is_asked_for_and_no_other_type(desk: Desk, ehr: FakeFhir) -> None:
    asked = [found for found in map(GRAMMAR.fullmatch, shipped()) if found]
    rights = {(found[2], letter) for found in asked for letter in found[3]}
    read = everything_read(desk, ehr)
    assert read <= rights
    assert {type_ for type_, _ in rights} == {type_ for type_, _ in read}
    assert {letter for _, letter in rights} == {"r", "s"}


@pytest.mark.clause("SMART 2.2", "131", "135", "137", "150", "151", "152", "216")
def test_the_shipped_scopes_are_well_formed_and_none_says_what_another_says() -> None:
    plain = {"launch", "launch/patient", "openid", "fhirUser", "offline_access"}
    resource = sorted(set(shipped()) - plain)
    assert plain < set(shipped())
    assert all(GRAMMAR.fullmatch(scope) and scope.startswith("patient/") for scope in resource)
    assert all(one.partition(".")[0] != two.partition(".")[0] for one, two in pairwise(resource))
