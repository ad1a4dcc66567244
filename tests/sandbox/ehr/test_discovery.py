import pytest
import requests
from fhir.resources.R4B.capabilitystatement import CapabilityStatement

from tests.sandbox.ehr.app import TIMEOUT, App
from tests.sandbox.ehr.process import PACS


@pytest.mark.clause("SMART App Launch 2.2", "7")
def test_smart_configuration_names_what_works(ehr: str) -> None:
    app = App(ehr)
    answer = requests.get(f"{app.iss}/.well-known/smart-configuration", timeout=TIMEOUT)
    told = answer.json()
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert told["issuer"] == app.issuer
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert {"RS384", "ES384"} <= set(told["token_endpoint_auth_signing_alg_values_supported"])
    assert {"launch-ehr", "launch-standalone", "permission-v2", "authorize-post"} <= set(told["capabilities"])
    assert told["associated_endpoints"][0]["url"] == PACS
    for name in ("authorization_endpoint", "token_endpoint", "introspection_endpoint", "revocation_endpoint"):
        assert requests.get(told[name], timeout=TIMEOUT).status_code in {400, 405}


@pytest.mark.clause("OpenID Connect Discovery", "4")
def test_openid_configuration_lies_below_the_issuer(ehr: str) -> None:
    app = App(ehr)
    told = requests.get(f"{app.issuer}/.well-known/openid-configuration", timeout=TIMEOUT).json()
    assert told["issuer"] == app.issuer
    keys = requests.get(told["jwks_uri"], timeout=TIMEOUT).json()["keys"]
    assert [key["alg"] for key in keys] == ["RS256"]
    assert "d" not in keys[0]


@pytest.mark.clause("FHIR R4", "5.1")
def test_capability_statement_is_valid_and_carries_the_old_extension(ehr: str) -> None:
    app = App(ehr)
    body = requests.get(f"{app.iss}/metadata", timeout=TIMEOUT).json()
    CapabilityStatement.model_validate(body)
    extension = body["rest"][0]["security"]["extension"][0]
    assert {part["url"] for part in extension["extension"]} == {"authorize", "token", "introspect", "revoke"}


def test_health(ehr: str) -> None:
    assert requests.get(f"{ehr}/healthz", timeout=TIMEOUT).json() == {"status": "ok"}


@pytest.mark.parametrize(
    "path",
    ["nowhere/portal", "nowhere/fhir/metadata", "nowhere/oauth/token", "%00", "st-elsewhere/fhir/Patient/ana/_history"],
)
def test_what_is_not_there_is_404_or_405(ehr: str, path: str) -> None:
    assert requests.get(f"{ehr}/{path}", timeout=TIMEOUT).status_code in {404, 405}
