"""Consent is the one type that the sandbox's EHR lets an app write."""

import uuid
from typing import Any

import pytest

from tests.sandbox.ehr.app import App

SCOPE = "launch/patient patient/Consent.cruds"


def consent(patient: str = "ana", **more: Any) -> dict[str, Any]:
    def coded(system: str, code: str) -> dict[str, Any]:
        return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}

    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": coded("consentscope", "patient-privacy"),
        "category": [coded("consentcategorycodes", "infa")],
        "patient": {"reference": f"Patient/{patient}"},
        "policyRule": coded("v3-ActCode", "OPTIN"),
        **more,
    }


@pytest.mark.clause("FHIR R4", "3.1.0.5")
def test_created_found_and_updated_with_care(ehr: str) -> None:
    app = App(ehr)
    token = app.sign_in("ana", "ana-sandbox", SCOPE)["access_token"]
    made = app.fhir("Consent", token, "POST", json=consent())
    assert made.status_code == 201
    body = made.json()
    assert made.headers["Location"] == f"{app.iss}/Consent/{body['id']}"
    found = app.fhir(f"Consent?patient=ana&status=active&_id={body['id']}", token).json()
    assert found["total"] == 1
    path, changed = f"Consent/{body['id']}", {**body, "status": "inactive"}
    assert app.fhir(path, token, "PUT", json=changed, headers={"If-Match": 'W/"7"'}).status_code == 412
    answer = app.fhir(path, token, "PUT", json=changed, headers={"If-Match": made.headers["ETag"]})
    assert answer.status_code == 200
    assert answer.headers["ETag"] == 'W/"2"'
    assert app.fhir(path, token).json()["status"] == "inactive"


@pytest.mark.clause("FHIR R4", "3.1.0.8.1")
def test_conditional_create_makes_one(ehr: str) -> None:
    app = App(ehr)
    token = app.sign_in("ana", "ana-sandbox", SCOPE)["access_token"]
    value = uuid.uuid4().hex
    body = consent(identifier=[{"system": "urn:example", "value": value}])
    headers = {"If-None-Exist": f"identifier=urn:example|{value}"}
    first = app.fhir("Consent", token, "POST", json=body, headers=headers)
    second = app.fhir("Consent", token, "POST", json=body, headers=headers)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (consent("ben"), 403),
        ({"resourceType": "Consent", "status": "active"}, 400),
        ({"resourceType": "Patient"}, 400),
        ({**consent(), "status": "nonsense!", "extra": 1}, 400),
        ([], 400),
    ],
)
def test_what_may_not_be_written(ehr: str, body: Any, status: int) -> None:
    app = App(ehr)
    token = app.sign_in("ana", "ana-sandbox", SCOPE)["access_token"]
    answer = app.fhir("Consent", token, "POST", json=body)
    assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome")


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"a": NaN}', "[" * 100_000, '"\\ud800"', "null"])
def test_a_body_that_is_no_json_object_is_400(ehr: str, text: str) -> None:
    app = App(ehr)
    token = app.sign_in("ana", "ana-sandbox", SCOPE)["access_token"]
    assert app.fhir("Consent", token, "POST", data=text).status_code == 400


def test_any_text_in_a_consent_comes_back_as_it_went(ehr: str) -> None:
    app = App(ehr)
    token = app.sign_in("ana", "ana-sandbox", SCOPE)["access_token"]
    body = consent(identifier=[{"system": "urn:example", "value": "á 漢 \U0001f600"}])
    made = app.fhir("Consent", token, "POST", json=body).json()
    assert app.fhir(f"Consent/{made['id']}", token).json()["identifier"] == body["identifier"]


def test_an_update_reaches_only_the_patients_own_and_leaves_it_there(ehr: str) -> None:
    app = App(ehr)
    ana = app.sign_in("ana", "ana-sandbox", SCOPE)["access_token"]
    ben = app.sign_in("ben", "ben-sandbox", SCOPE)["access_token"]
    made = app.fhir("Consent", ana, "POST", json=consent()).json()
    path = f"Consent/{made['id']}"
    assert app.fhir(path, ben, "PUT", json={**consent("ben"), "id": made["id"]}).status_code == 403
    assert app.fhir(path, ana, "PUT", json={**consent("ben"), "id": made["id"]}).status_code == 403
    assert app.fhir(path, ana).json()["patient"]["reference"] == "Patient/ana"


def test_writing_needs_its_letter_and_its_type(ehr: str) -> None:
    app = App(ehr)
    reader = app.sign_in("ana", "ana-sandbox", "launch/patient patient/Consent.rs")["access_token"]
    assert app.fhir("Consent", reader, "POST", json=consent()).status_code == 403
    writer = app.sign_in("ana", "ana-sandbox", "launch/patient patient/*.cruds")["access_token"]
    assert app.fhir("Observation", writer, "POST", json={"resourceType": "Observation"}).status_code == 405
    assert app.fhir("Consent/none", writer, "PUT", json={**consent(), "id": "none"}).status_code == 404
