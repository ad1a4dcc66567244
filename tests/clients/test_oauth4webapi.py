"""npm `oauth4webapi`, unmodified: it registers itself, checks who answers, and ends what it was given."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.house import SCOPE, House
from tests.clients.node import Node

REDIRECT = "http://127.0.0.1:8765/callback"
Said = dict[str, Any]


@pytest.fixture(scope="module", params=["none", "client_secret_basic"])
def said(house: House, node: Node, request: pytest.FixtureRequest) -> Said:
    """What came of one walk, by an app without a secret and by one with it; each finds the server in its own way."""
    public = request.param == "none"
    registration = {
        "client_name": f"oauth4webapi, {request.param}", "redirect_uris": [REDIRECT], "scope": SCOPE,
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "token_endpoint_auth_method": request.param, "contacts": ["developer@example.org"],
    }  # fmt: skip
    told = {
        "issuer": house.issuer, "fhir": house.fhir, "scope": SCOPE, "registration": registration,
        "algorithm": "oidc" if public else "oauth2",
    }  # fmt: skip
    return node.run("oauth4webapi", told, browser=house.person().allow)


@pytest.mark.promise("B6")
@pytest.mark.clause("RFC 7591", "3.2.1")
@pytest.mark.clause("SMART 2.2 server", "19", "24", "316")
def test_an_app_registers_itself(said: Said) -> None:
    client = said["client"]
    assert client["client_id"]
    assert client["redirect_uris"] == [REDIRECT]
    assert bool(client.get("client_secret")) is (client["token_endpoint_auth_method"] == "client_secret_basic")
    assert client["registration_access_token"]


@pytest.mark.promise("B1")
@pytest.mark.clause("RFC 8414", "3")
@pytest.mark.clause("RFC 9207", "2.4")
def test_the_answer_says_whose_it_is_and_no_other_holds(said: Said) -> None:
    assert said["server"]["authorization_response_iss_parameter_supported"] is True
    assert said["mixedUp"] is not None
    assert said["withoutIss"] is not None


@pytest.mark.promise("B1")
@pytest.mark.clause("SMART 2.2 server", "31", "86", "87", "353", "355", "356", "363")
def test_an_app_of_either_kind_gets_a_token_and_reads_with_it(said: Said, house: House) -> None:
    assert said["tokens"]["patient"] == "ana"
    assert said["kept"] == {"cache": "no-store", "pragma": "no-cache"}
    assert said["claims"]["fhirUser"] == f"{house.fhir}/Patient/ana"
    assert said["userinfo"]["sub"] == said["claims"]["sub"]
    assert said["refreshed"]["refresh_token"] != said["tokens"]["refresh_token"]
    assert (said["patient"]["resourceType"], said["patient"]["id"]) == ("Patient", "ana")


@pytest.mark.promise("B1")
@pytest.mark.clause("RFC 7662", "2.1")
@pytest.mark.clause("RFC 7009", "2.1")
def test_an_app_asks_of_its_token_and_gives_it_back(said: Said) -> None:
    if said["client"].get("client_secret"):
        assert said["introspected"]["active"] is True
        assert said["introspected"]["client_id"] == said["client"]["client_id"]
    assert said["ended"]["status"] == 401


@pytest.mark.promise("B1")
@pytest.mark.clause("RFC 7636", "4.6")
@pytest.mark.clause("SMART 2.2 server", "31")
def test_a_code_with_another_verifier_is_lost(said: Said) -> None:
    assert said["wrong"]["error"] == "invalid_grant"
    assert said["burned"]["error"] == "invalid_grant"


@pytest.mark.promise("B1")
@pytest.mark.clause("RFC 7523", "2.2")
@pytest.mark.clause("SMART 2.2 server", "310", "335", "340", "357")
def test_a_service_signs_for_its_token(house: House, node: Node) -> None:
    backend = house.client("backend")
    told = {
        "issuer": house.issuer, "client_id": backend["client_id"], "jwk": house.key_of(backend),
        "scope": backend["scope"],
    }  # fmt: skip
    said = node.run("backend", told)
    tokens = said["tokens"]
    assert 0 < tokens["expires_in"] <= 300
    assert tokens["scope"] == backend["scope"]
    assert "refresh_token" not in tokens
    assert said["introspected"]["active"] is True
    assert said["introspected"]["client_id"] == backend["client_id"]
    assert said["after"] == {"active": False}
    assert said["stranger"]["error"] == "invalid_client"
    assert said["personal"]["error"] == "invalid_scope"
