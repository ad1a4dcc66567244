"""SMART App Launch 2.2 as a server: registration, and services that act for themselves (backend services)."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.authserver.house import BASE, JWKS, PROVIDER, REDIRECT, AuthHouse, basic
from tests.fhir_facade.app import Json

APP: Json = {
    "client_name": "An app",
    "redirect_uris": [REDIRECT],
    "launch_uri": "https://app.example/launch",
    "token_endpoint_auth_method": "none",
    "scope": "launch/patient patient/ImagingStudy.rs",
}
SERVICE: Json = {
    "client_name": "A service",
    "grant_types": ["client_credentials"],
    "token_endpoint_auth_method": "private_key_jwt",
    "jwks": JWKS,
    "scope": "system/ImagingStudy.rs",
}


def register(house: AuthHouse, document: Json) -> TestResponse:
    return house.http.post(f"/{PROVIDER}/oauth/register", json=document, base_url=BASE)


def at_its_address(house: AuthHouse, made: Json, method: str, token: str, document: Json | None = None) -> TestResponse:
    """Asks of a registration that was `made`."""
    path = made["registration_client_uri"].removeprefix(BASE)
    headers = {"Authorization": f"Bearer {token}"}
    return house.http.open(path, method=method, json=document, headers=headers, base_url=BASE)


def signed_in(house: AuthHouse, client_id: str, **form: str) -> TestResponse:
    """The token answer to a service that signs."""
    return house.post("token", house.asked_by(house.assertion(client_id), **form))


@pytest.mark.promise("B1")
@pytest.mark.clause("SMART 2.2 server", "18", "19", "24", "316")
def test_what_is_registered_is_confirmed_with_a_client_id(house: AuthHouse) -> None:
    answer = register(house, APP)
    assert answer.status_code == 201
    made = answer.get_json()
    assert made["client_id"]
    for name in ("client_name", "redirect_uris", "launch_uri", "token_endpoint_auth_method", "scope"):
        assert made[name] == APP[name], name
    assert at_its_address(house, made, "GET", made["registration_access_token"]).get_json()["launch_uri"]
    incomplete: list[Json] = [{"redirect_uris": ["https://*.example/cb"]}, {"redirect_uris": []}, {"launch_uri": "/l"}]
    for bad in incomplete:
        refused = register(house, {**APP, **bad})
        assert (refused.status_code, "client_id" in refused.get_json()) == (400, False)


@pytest.mark.clause("SMART 2.2 server", "296", "297")
@pytest.mark.parametrize("keys", [{"jwks": JWKS}, {"jwks": None, "jwks_uri": "https://keys.example/jwks"}])
def test_keys_are_registered_by_address_or_in_line(house: AuthHouse, keys: dict[str, Any]) -> None:
    document = {name: value for name, value in {**SERVICE, **keys}.items() if value is not None}
    made = register(house, document).get_json()
    assert {name: made.get(name) for name in ("jwks", "jwks_uri")} == {
        name: document.get(name) for name in ("jwks", "jwks_uri")
    }
    both = register(house, {**SERVICE, "jwks_uri": "https://keys.example/jwks"})
    assert (both.status_code, both.get_json()["error"]) == (400, "invalid_client_metadata")


@pytest.mark.clause("SMART 2.2 server", "305")
def test_a_registered_key_set_is_changed_by_its_owner_alone(house: AuthHouse) -> None:
    made, other = (register(house, SERVICE).get_json() for _ in range(2))
    changed = {**SERVICE, "client_id": made["client_id"], "jwks": {"keys": JWKS["keys"][1:]}}
    for token in (other["registration_access_token"], "", "x" * 43):
        for method in ("PUT", "DELETE"):
            assert at_its_address(house, made, method, token, changed).status_code == 401
    assert signed_in(house, made["client_id"]).status_code == 200
    broken = {**changed, "jwks": {"keys": [{**JWKS["keys"][0], "n": "AQ"}]}}
    assert at_its_address(house, made, "PUT", made["registration_access_token"], broken).status_code == 400
    kept = at_its_address(house, made, "GET", made["registration_access_token"]).get_json()
    assert kept["jwks"] == JWKS
    assert signed_in(house, made["client_id"]).status_code == 200


@pytest.mark.clause("SMART 2.2 server", "344")
def test_a_service_has_keys_and_no_secret(house: AuthHouse) -> None:
    for method in ("client_secret_basic", "none"):
        document = {name: value for name, value in SERVICE.items() if name != "jwks"}
        refused = register(house, {**document, "token_endpoint_auth_method": method})
        assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_client_metadata")
    made = house.registered("client_secret_basic", grant_types=("client_credentials",), scope="system/*.rs")
    form = {"grant_type": "client_credentials", "scope": "system/*.rs"}
    answer = house.post("token", form, headers=basic(made.app.client_id, made.client_secret or ""))
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
    assert "token.issued" not in house.kinds()


@pytest.mark.clause("SMART 2.2 server", "240", "241", "250", "251", "252", "258", "259", "260")
def test_a_services_scope_is_what_was_asked_within_what_was_decided_before(house: AuthHouse) -> None:
    app = house.backend(scope="system/ImagingStudy.rs system/Patient.r")
    said = house.ok(signed_in(house, app.client_id, scope="system/ImagingStudy.read system/Patient.r"))
    assert said["scope"].split() == ["system/ImagingStudy.rs", "system/Patient.r"]
    narrow = house.ok(signed_in(house, app.client_id, scope="system/Patient.r"))
    assert narrow["scope"] == "system/Patient.r"
    for scope in ("system/Patient.rs", "system/Observation.rs", "system/ImagingStudy.rs patient/*.rs"):
        refused = signed_in(house, app.client_id, scope=scope)
        assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_scope")
        assert refused.get_json()["error_description"]


@pytest.mark.clause("SMART 2.2 server", "265", "266")
@pytest.mark.parametrize("path", ["/ImagingStudy", "/DiagnosticReport/r1", "/Patient/ana-canary"])
def test_a_services_token_is_looked_at_before_anything_is_served(house: AuthHouse, path: str) -> None:
    said = house.ok(signed_in(house, house.backend().client_id))

    def read() -> TestResponse:
        return house.get(f"/{PROVIDER}/fhir{path}", headers={"Authorization": f"Bearer {said['access_token']}"})

    assert read().status_code == 403
    assert read().headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope"'
    house.clock.advance(said["expires_in"])
    assert read().status_code == 401
    assert read().headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
