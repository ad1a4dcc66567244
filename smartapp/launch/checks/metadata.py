"""The discovery documents of an EHR (SMART App Launch 2.2, conformance; OpenID Connect Discovery §3; RFC 8414 §2)."""

from collections.abc import Mapping

from smartapp.launch.model import Metadata
from smartapp.launch.refusals import refuse
from smartapp.launch.urls import Trust, resolved

CODE = "smart.discovery.bad"


def read_issuer(document: Mapping[str, object], trust: Trust) -> str:
    """The `issuer` of a smart-configuration document. Raises Refusal when it is missing or not on a trusted origin."""
    return _trusted("issuer", document.get("issuer"), trust)


def read_metadata(document: Mapping[str, object], openid: Mapping[str, object], base: str, trust: Trust) -> Metadata:
    """What we use of the smart-configuration `document` of the FHIR server at `base`, and of its issuer's
    openid-configuration, which names the keys (SMART App Launch 2.2, steps for using an ID token).

    Raises Refusal when an address is missing or on an origin that the provider's `trusted_origins` does not list, when
    PKCE with S256 is not offered (RFC 9700 §2.1.1), or when the two speak for different issuers.
    """
    methods = document.get("code_challenge_methods_supported")
    if not isinstance(methods, list) or "S256" not in methods:
        refuse(CODE, "code_challenge_methods_supported: S256")
    issuer = read_issuer(document, trust)
    if openid.get("issuer") != issuer:
        refuse(CODE, "openid-configuration: issuer")
    revocation = document.get("revocation_endpoint")
    return Metadata(
        issuer=issuer,
        authorization_endpoint=_endpoint(document, "authorization_endpoint", base, trust),
        token_endpoint=_endpoint(document, "token_endpoint", base, trust),
        jwks_uri=_trusted("jwks_uri", openid.get("jwks_uri"), trust),
        revocation_endpoint=None if revocation is None else _endpoint(document, "revocation_endpoint", base, trust),
        says_iss=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _endpoint(document: Mapping[str, object], name: str, base: str, trust: Trust) -> str:
    """An endpoint, which older servers may give relative to their FHIR base (SMART App Launch 2.2, conformance)."""
    value = document.get(name)
    return _trusted(name, resolved(base, value) if isinstance(value, str) else None, trust)


def _trusted(name: str, value: object, trust: Trust) -> str:
    if not isinstance(value, str):
        refuse(CODE, f"{name}: missing")
    if not trust.allows(value):
        refuse(CODE, f"{name}: origin")
    return value
