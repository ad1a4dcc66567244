"""The discovery documents. They name what works, and nothing else."""

from typing import Any, Final

from smartapp.authserver import addresses
from smartapp.authserver.brands import bundle
from smartapp.exchange.developers.checks.scope import WORDS
from smartapp.records.resources.kinds import SERVED
from smartapp.web.parts import parts

CAPABILITIES: Final = (
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
    "context-style",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-v1",
    "permission-v2",
    "smart-imaging-access",
    "http://fhir.org/argonaut/smart-imaging/capabilities/app-launch",
)
_METHODS: Final = ("client_secret_basic", "private_key_jwt", "none")
_IDENTIFIED: Final = ("client_secret_basic", "private_key_jwt")
_ALGORITHMS: Final = ("RS384", "ES384", "PS256", "ES256", "EdDSA")


def scopes_supported() -> list[str]:
    """The scopes that open something, in their plain forms; each resource scope may be narrowed by search parameters.

    `system/` is not among them: a service gets its token, which stands for no patient, and no data is served to it.
    """
    types = ("*", *(each.type for each in SERVED.values() if each.own))
    return [*WORDS, *(f"patient/{name}.rs" for name in types)]


def oauth(provider: str) -> dict[str, Any]:
    """Authorization server metadata (RFC 8414 §2, RFC 9207 §3)."""

    def at(name: str) -> str:
        return addresses.endpoint(provider, name)

    return {
        "issuer": addresses.issuer(provider),
        "jwks_uri": at("jwks"),
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "registration_endpoint": at("register"),
        "introspection_endpoint": at("introspect"),
        "revocation_endpoint": at("revoke"),
        "scopes_supported": scopes_supported(),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "token_endpoint_auth_methods_supported": list(_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(_ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": list(_IDENTIFIED),
        "introspection_endpoint_auth_signing_alg_values_supported": list(_ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": list(_METHODS),
        "revocation_endpoint_auth_signing_alg_values_supported": list(_ALGORITHMS),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "service_documentation": f"{parts().settings.server.base_url}/developers",
    }


def openid(provider: str) -> dict[str, Any]:
    """OpenID Provider metadata (OpenID Connect Discovery 1.0 §3, RP-Initiated Logout 1.0 §2.1)."""
    return {
        **oauth(provider),
        "userinfo_endpoint": addresses.endpoint(provider, "userinfo"),
        "end_session_endpoint": addresses.endpoint(provider, "logout"),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "fhirUser"],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }


def smart(provider: str) -> dict[str, Any]:
    """The SMART configuration (SMART App Launch 2.2, conformance). Brands are named where there are some."""
    return {
        **oauth(provider),
        "capabilities": list(CAPABILITIES),
        "management_endpoint": f"{parts().settings.server.base_url}/my/apps",
        "associated_endpoints": [
            {"url": addresses.dicomweb_base(provider), "capabilities": ["smart-imaging-access"]},
        ],
        **_brands(provider),
    }


def _brands(provider: str) -> dict[str, Any]:
    settings = parts().settings
    brand = settings.provider(provider).brand
    if brand is None:
        return {}
    return {
        "user_access_brand_bundle": bundle.address(provider, settings.server.base_url),
        "user_access_brand_identifier": bundle.identifier(brand),
    }
