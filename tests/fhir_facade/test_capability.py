"""What we say that we do is what we do: the CapabilityStatement and the OpenAPI document, walked."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fhir.resources.R4B.capabilitystatement import CapabilityStatement

from tests.fhir_facade.app import App, Clinic
from tests.threats.composed import BASE

VALUES = {"token": "x", "date": "2026", "reference": "ana"}


@pytest.fixture(scope="module")
def statement(app: App) -> Any:
    return app.json("/metadata")


def resources(statement: Any) -> dict[str, Any]:
    return {each["type"]: each for each in statement["rest"][0]["resource"]}


@pytest.mark.promise("B1")
@pytest.mark.clause("SMART 2.2 server", "16")
def test_everybody_reads_what_we_do_from_any_page(shared: Clinic) -> None:
    client = shared.composed.house.app.test_client(use_cookies=False)
    answer = client.get("/st-elsewhere/fhir/metadata", headers={"Origin": "https://any.example"}, base_url=BASE)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert "Access-Control-Allow-Credentials" not in answer.headers
    found = answer.get_json(force=True)
    CapabilityStatement.model_validate(found)
    assert found["fhirVersion"] == "4.0.1"
    assert client.get("/nowhere/fhir/metadata", base_url=BASE).status_code == 404


@pytest.mark.promise("B1")
def test_old_clients_find_the_authorization_server(statement: Any) -> None:
    (extension,) = statement["rest"][0]["security"]["extension"]
    assert extension["url"] == "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
    uris = {each["url"]: each["valueUri"] for each in extension["extension"]}
    assert uris.keys() == {"authorize", "token", "register", "manage", "introspect", "revoke"}
    assert uris["token"] == f"{BASE}/st-elsewhere/oauth/token"


@pytest.mark.promise("B3")
@pytest.mark.clause("SMART 2.2 server", "139")
def test_every_type_does_what_is_said_and_no_other_does_anything(app: App, statement: Any) -> None:
    for type_, said in resources(statement).items():
        interactions = {each["code"] for each in said["interaction"]}
        assert app.get(f"/{type_}/none").status_code in ({404, 403} if "read" in interactions else {405})
        assert app.get(f"/{type_}").status_code == (200 if "search-type" in interactions else 404), type_
    for type_ in ("Observation", "Encounter", "Bundle", "OperationOutcome", "Group", "ServiceRequest", "imagingstudy"):
        assert (app.get(f"/{type_}").status_code, app.get(f"/{type_}/1").status_code) == (404, 404)
    assert "Patient.link" in statement["rest"][0]["documentation"]


@pytest.mark.promise("B3")
def test_every_parameter_and_include_that_is_said_counts_and_no_other(app: App, statement: Any) -> None:
    strict = {"Prefer": "handling=strict"}
    names = {one["name"] for said in resources(statement).values() for one in said.get("searchParam", [])}
    includes = {one for said in resources(statement).values() for one in said.get("searchInclude", [])}
    for type_, said in resources(statement).items():
        if {"code": "search-type"} not in said["interaction"]:
            continue
        known = {one["name"]: one["type"] for one in said["searchParam"]}
        for name in names:
            value = VALUES[known.get(name, "token")]
            answer = app.get(f"/{type_}?{name}={value}", headers=strict)
            assert answer.status_code == (200 if name in known else 400), (type_, name)
            if name in known:
                assert f"{name}={value}" in answer.get_json(force=True)["link"][0]["url"]
        for include in includes:
            answer = app.get(f"/{type_}?_include={include}", headers=strict)
            assert answer.status_code == (200 if include in said.get("searchInclude", []) else 400), (type_, include)


@pytest.mark.promise("B6")
def test_the_openapi_document_names_every_route_for_programs_and_no_other(shared: Clinic) -> None:
    app = shared.composed.house.app
    told = app.test_client(use_cookies=False).get("/openapi.json", base_url=BASE).get_json(force=True)
    said = {(path, method.upper()) for path, methods in told["paths"].items() for method in methods}
    routed = {
        (re.sub(r"<(?:\w+:)?(\w+?)_?>", r"{\1}", entry.rule), method)
        for entry in app.url_map.iter_rules()
        for method in (entry.methods or set()) - {"HEAD", "OPTIONS"}
        if entry.endpoint.split(".")[0] in {"fhir", "dicomweb", "oauth", "authorize", "userinfo", "jwks", "register",
                                            "discovery", "brands"}
        and not entry.endpoint.endswith("anything_else")
        and not entry.rule.endswith("/fhir/")
    }  # fmt: skip
    assert said == routed
    for methods in told["paths"].values():
        for operation in methods.values():
            assert all(each["schema"] for each in operation["parameters"])
            assert operation["responses"]
