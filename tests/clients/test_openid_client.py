"""npm `openid-client`, unmodified: a certified OpenID client signs in, reads, refreshes, asks, and signs out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.house import SCOPE, House
from tests.clients.node import Node
from tests.clients.person import Person

REDIRECT = "http://127.0.0.1:8765/callback"
AFTER = "http://127.0.0.1:8765/bye"
KINDS = ["client_secret_basic", "private_key_jwt"]
Said = dict[str, Any]


@pytest.fixture(scope="module", params=KINDS)
def said(house: House, node: Node, request: pytest.FixtureRequest) -> Said:
    """What came of one walk, by an app with a secret and by one with a key."""
    ana = house.person()
    return node.run("openid_client", told(house, request.param), browser=lambda url: going(ana, url))


def told(house: House, method: str) -> Said:
    key = house.key_of(house.client("confidential", key=True)) if method == "private_key_jwt" else None
    public = {name: value for name, value in (key or {}).items() if name != "d"}
    more: Said = {"jwks": {"keys": [public]}} if key else {}
    app = house.register(
        f"openid-client with {method}", redirect_uris=[REDIRECT], post_logout_redirect_uris=[AFTER],
        token_endpoint_auth_method=method, **more,
    )  # fmt: skip
    return {
        "issuer": house.issuer, "fhir": house.fhir, "client_id": app["client_id"], "scope": SCOPE,
        "client_secret": app.get("client_secret"), "jwk": key, "redirect_uri": REDIRECT, "after": AFTER,
        "metadata": {"redirect_uris": [REDIRECT]},
    }  # fmt: skip


def going(person: Person, url: str) -> str:
    """The person agrees to whatever the app asks: to see, and to be signed out."""
    return person.sign_out(url) if "/oauth/logout" in url else person.allow(url)


@pytest.mark.promise("B1")
@pytest.mark.clause("RFC 7636", "4.6")
@pytest.mark.clause("SMART 2.2 server", "14", "31", "53", "56", "57", "59", "73", "74", "76", "78", "83")
def test_a_code_and_its_verifier_become_a_token(said: Said) -> None:
    assert said["answer"]["state"] == said["state"]
    assert said["answer"]["iss"] == said["metadata"]["issuer"]
    tokens = said["tokens"]
    assert 0 < tokens["expires_in"] <= 3600
    assert tokens["patient"] == "ana"
    assert {"openid", "fhirUser", "offline_access", "patient/*.rs"} <= set(tokens["scope"].split())


@pytest.mark.promise("B1")
@pytest.mark.clause("OpenID Connect Core", "3.1.3.7", "5.3.2")
@pytest.mark.clause("SMART 2.2 server", "80", "358")
def test_the_id_token_holds_and_userinfo_agrees(said: Said, house: House) -> None:
    claims = said["claims"]
    assert claims["iss"] == house.issuer
    assert claims["nonce"] == said["nonce"]
    assert claims["fhirUser"] == f"{house.fhir}/Patient/ana"
    assert said["userinfo"]["sub"] == claims["sub"]
    assert said["userinfo"]["fhirUser"] == claims["fhirUser"]


@pytest.mark.promise("B1")
@pytest.mark.clause("RFC 6749", "6")
@pytest.mark.clause("OpenID Connect Core", "12.2")
@pytest.mark.clause("SMART 2.2 server", "101", "109", "110", "111", "112", "113", "114", "116", "365")
def test_a_refresh_gives_the_same_again_and_it_reads(said: Said) -> None:
    tokens, refreshed = said["tokens"], said["refreshed"]
    assert refreshed["access_token"] != tokens["access_token"]
    assert refreshed["refresh_token"] != tokens["refresh_token"]
    assert refreshed["scope"] == tokens["scope"]
    assert refreshed["token_type"] == "bearer"  # the library writes it in small letters
    assert 0 < refreshed["expires_in"] <= 3600
    assert said["refreshedClaims"]["sub"] == said["claims"]["sub"]
    assert said["read"]["resourceType"] == "Bundle"
    assert said["read"]["total"] > 0


@pytest.mark.promise("B1")
@pytest.mark.clause("RFC 7662", "2.2")
@pytest.mark.clause("RFC 7009", "2")
@pytest.mark.clause("SMART 2.2 server", "99")
def test_what_is_given_back_is_dead_everywhere(said: Said) -> None:
    assert said["before"]["active"] is True
    assert said["before"]["scope"] == said["tokens"]["scope"]
    assert said["after"] == {"active": False}
    assert said["dead"]["error"] == "invalid_grant"
    assert said["refused"]["status"] == 401


@pytest.mark.promise("B1")
@pytest.mark.clause("RP-Initiated Logout 1.0", "2", "3")
def test_signing_out_leads_back_to_the_app(said: Said) -> None:
    assert said["signedOut"] == f"{AFTER}?state=bye"
