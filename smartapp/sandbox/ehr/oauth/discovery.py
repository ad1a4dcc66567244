"""Discovery documents: SMART configuration, OpenID configuration, keys, and the FHIR CapabilityStatement."""

from typing import Any

from flask import Blueprint, Response, jsonify

from smartapp.sandbox.ehr.fhir.bundle import to_response
from smartapp.sandbox.ehr.fhir.parameters import PARAMETERS
from smartapp.sandbox.ehr.fhir.routes import served_types
from smartapp.sandbox.ehr.jose import ASSERTION_ALGORITHMS
from smartapp.sandbox.ehr.resources.common import MADE
from smartapp.sandbox.ehr.site import Site, site_of

discovery = Blueprint("discovery", __name__, url_prefix="/<hospital>")

CAPABILITIES = (
    "launch-ehr",
    "launch-standalone",
    "authorize-post",
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-ehr-patient",
    "context-standalone-patient",
    "context-banner",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
)
SCOPES = ("openid", "fhirUser", "launch", "launch/patient", "offline_access", "online_access")
OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
SECURITY_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"


@discovery.get("/fhir/.well-known/smart-configuration")
def smart_configuration(hospital: str) -> Response:
    """`.well-known/smart-configuration` below the FHIR base (SMART App Launch 2.2 §7)."""
    site = site_of(hospital)
    return _open(
        {
            **_common(site),
            "capabilities": [*CAPABILITIES, "smart-imaging-access"],
            "associated_endpoints": [{"url": site.config.dicomweb, "capabilities": ["smart-imaging-access"]}],
        }
    )


@discovery.get("/.well-known/openid-configuration")
def openid_configuration(hospital: str) -> Response:
    """OpenID Connect Discovery §4, below the issuer."""
    site = site_of(hospital)
    return _open(
        {
            **_common(site),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": ["iss", "sub", "aud", "exp", "iat", "nonce", "auth_time", "fhirUser"],
        }
    )


@discovery.get("/oauth/jwks")
def jwks(hospital: str) -> Response:
    """The keys that sign id_tokens (RFC 7517 §5)."""
    return _open(site_of(hospital).key.jwks())


@discovery.get("/fhir/metadata")
def metadata(hospital: str) -> Response:
    """The CapabilityStatement (FHIR R4 §5.1), with the OAuth addresses where older clients look for them."""
    answer = to_response(_capability(site_of(hospital)))
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


def _common(site: Site) -> dict[str, Any]:
    return {
        "issuer": site.base,
        "jwks_uri": f"{site.base}/oauth/jwks",
        "authorization_endpoint": f"{site.base}/oauth/authorize",
        "token_endpoint": site.token_url,
        "introspection_endpoint": f"{site.base}/oauth/introspect",
        "revocation_endpoint": f"{site.base}/oauth/revoke",
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "token_endpoint_auth_methods_supported": [
            "none",
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
        ],
        "token_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "response_types_supported": ["code"],
        "scopes_supported": [*SCOPES, *(f"{level}/*.cruds" for level in ("patient", "user", "system"))],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }


def _open(body: dict[str, Any]) -> Response:
    answer = jsonify(body)
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


def _capability(site: Site) -> dict[str, Any]:
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": MADE,
        "kind": "instance",
        "implementation": {"description": f"Sandbox EHR of {site.hospital.name}", "url": site.fhir_base},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{"mode": "server", "security": _security(site), "resource": [_type(t) for t in served_types(site)]}],
    }


def _security(site: Site) -> dict[str, Any]:
    addresses = {
        "authorize": f"{site.base}/oauth/authorize",
        "token": site.token_url,
        "introspect": f"{site.base}/oauth/introspect",
        "revoke": f"{site.base}/oauth/revoke",
    }
    parts = [{"url": name, "valueUri": address} for name, address in addresses.items()]
    coding = {"system": SECURITY_SERVICE, "code": "SMART-on-FHIR"}
    return {"extension": [{"url": OAUTH_URIS, "extension": parts}], "service": [{"coding": [coding]}]}


def _type(type_: str) -> dict[str, Any]:
    codes = ["read", "search-type", *(["create", "update"] if type_ == "Consent" else [])]
    parameters = [{"name": name, "type": kind} for name, (kind, _) in PARAMETERS[type_].items()]
    includes = [f"{type_}:{name}" for name, (kind, _) in PARAMETERS[type_].items() if kind == "reference"]
    return {
        "type": type_,
        "interaction": [{"code": code} for code in codes],
        "searchParam": parameters,
        **({"searchInclude": includes} if includes else {}),
    }
