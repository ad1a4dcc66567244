"""SMART App Launch 2.2 as a server: what discovery says is there, is true, and is said to everybody."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from smartapp.consent.scopes.grammar import parse
from smartapp.records.resources.kinds import SERVED
from tests.authserver.visit import ISSUER, visit
from tests.fhir_facade.app import Clinic, Json
from tests.threats.composed import BASE

PATH = "/st-elsewhere/fhir/.well-known/smart-configuration"
ENDPOINTS = ("authorization", "token", "introspection", "revocation", "registration", "management")
ABSENT = {"permission-user", "context-ehr-encounter", "context-standalone-encounter", "smart-app-state"}


@pytest.fixture(scope="module")
def told(shared: Clinic) -> Json:
    answer = shared.composed.house.app.test_client(use_cookies=False).get(PATH, base_url=BASE)
    assert answer.status_code == 200
    found: Json = answer.get_json()
    return found


@pytest.mark.promise("B1")
@pytest.mark.clause("SMART 2.2 server", "16", "30", "372", "374", "376", "377", "380")
@pytest.mark.parametrize("accept", [None, "application/json", "application/fhir+xml", "text/html", "image/png;q=0.1"])
def test_the_document_is_json_for_everybody(shared: Clinic, accept: str | None) -> None:
    client = shared.composed.house.app.test_client(use_cookies=False)
    headers = {"Origin": "https://any.example", **({"Accept": accept} if accept else {})}
    answer = client.get(PATH, base_url=BASE, headers=headers)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.get_json()["issuer"] == ISSUER
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert client.get(PATH.replace("st-elsewhere", "nowhere"), base_url=BASE).status_code == 404


@pytest.mark.clause("SMART 2.2 server", "228", "285", "286", "287", "288", "289")
@pytest.mark.clause("SMART 2.2 server", "373", "384", "386", "390", "393", "394", "439")
def test_what_must_be_in_it_is_in_it(told: Json) -> None:
    assert {"launch-ehr", "launch-standalone", "client-confidential-asymmetric"} <= set(told["capabilities"])
    assert {"authorization_code", "client_credentials"} <= set(told["grant_types_supported"])
    assert {"private_key_jwt", "client_secret_basic"} <= set(told["token_endpoint_auth_methods_supported"])
    assert {"RS384", "ES384"} <= set(told["token_endpoint_auth_signing_alg_values_supported"])
    assert told["response_types_supported"] == ["code"]
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["scopes_supported"]
    (endpoint,) = told["associated_endpoints"]
    assert endpoint == {"url": f"{ISSUER}/dicomweb", "capabilities": ["smart-imaging-access"]}


@pytest.mark.clause("SMART 2.2 server", "378", "381", "382", "383", "385", "391", "392", "438")
def test_every_address_in_it_is_whole_and_answers(shared: Clinic, told: Json) -> None:
    at = visit(shared)
    named = {name: value for name, value in told.items() if name.endswith(("_endpoint", "_uri", "issuer"))}
    assert named.keys() >= {"issuer", "jwks_uri", *(f"{each}_endpoint" for each in ENDPOINTS)}
    for name, address in named.items():
        assert urlsplit(address)[:2] == ("https", "images.example.org"), name
        if name == "issuer":
            continue
        method = "POST" if name.startswith(("token", "introspection", "revocation", "registration")) else "GET"
        client = shared.composed.house.app.test_client(use_cookies=False)
        answer = client.open(address.removeprefix(BASE), method=method, base_url=BASE)
        assert answer.status_code not in {404, 405, 500}, name
    assert at.document(told["jwks_uri"]).get_json()["keys"]


@pytest.mark.clause("SMART 2.2 server", "389")
def test_every_scope_in_it_can_be_granted_and_opens_something(shared: Clinic, told: Json) -> None:
    everything = " ".join(told["scopes_supported"])
    for scope in told["scopes_supported"]:
        if "/" not in scope or scope.startswith("launch"):
            continue
        type_ = scope.removeprefix("patient/").removesuffix(".rs").replace("*", "Patient")
        needed = [f"patient/{each}.rs" for each in SERVED[type_].needs]
        at = visit(shared, scope=everything)
        said = at.allowed(" ".join(["launch/patient", scope, *needed]))
        assert scope in said["scope"].split()
        assert at.reads(said["access_token"], f"/{type_}") == 200, scope
    words = {scope for scope in told["scopes_supported"] if "patient/" not in scope or scope == "launch/patient"}
    assert parse(" ".join(words)).words == words


@pytest.mark.parametrize("name", sorted(ABSENT))
def test_what_is_not_there_is_not_announced(told: Json, name: str) -> None:
    """The reasons in smart_server.toml lean on this."""
    assert name not in told["capabilities"]
    assert not any(each.startswith("system/") for each in told["scopes_supported"])
    assert not told.keys() & {"user_access_brand_bundle", "user_access_brand_identifier"}


@pytest.mark.clause("SMART 2.2 server", "346", "348", "349")
@pytest.mark.parametrize(
    "together",
    [
        {"launch-standalone", "client-public", "context-standalone-patient", "permission-patient"},
        {"launch-ehr", "client-public", "context-ehr-patient", "permission-patient"},
    ],
)
def test_capabilities_that_belong_together_are_there_together(told: Json, together: set[str]) -> None:
    assert together <= set(told["capabilities"])


@pytest.mark.clause("SMART 2.2 server", "17")
@pytest.mark.parametrize(("origin", "known"), [("https://app.example", True), ("https://evil.example", False)])
def test_pages_of_registered_origins_alone_read_tokens_and_resources(
    shared: Clinic, origin: str, *, known: bool
) -> None:
    visit(shared)
    client: Any = shared.composed.house.app.test_client(use_cookies=False)
    asked = {
        "/st-elsewhere/fhir/ImagingStudy": ("GET", {"Authorization": f"Bearer {shared.app().token}"}),
        "/st-elsewhere/oauth/token": ("POST", {"Authorization": "Basic eDp5"}),
    }
    for path, (method, headers) in asked.items():
        wanted = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization"}
        leave = client.options(path, headers={"Origin": origin, **wanted}, base_url=BASE)
        answer = client.open(path, method=method, headers={"Origin": origin, **headers}, base_url=BASE)
        for each in (leave, answer):
            assert each.headers.get("Access-Control-Allow-Origin") == (origin if known else None)
            assert "Access-Control-Allow-Credentials" not in each.headers
        assert (leave.status_code == 204) is known
        assert ("Authorization" in leave.headers.get("Access-Control-Allow-Headers", "")) is known
