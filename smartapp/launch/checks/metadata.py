"""The smart-configuration document (SMART App Launch 2.2, conformance; RFC 8414 §2)."""

from collections.abc import Mapping

from smartapp.launch.model import Metadata
from smartapp.launch.refusals import refuse
from smartapp.launch.urls import Trust

CODE = "smart.discovery.bad"


def read_metadata(document: Mapping[str, object], trust: Trust) -> Metadata:
    """What we use of the document. Raises Refusal when an address is missing or on an origin that the provider's
    `trusted_origins` does not list, or when PKCE with S256 is not offered (RFC 9700 §2.1.1).
    """
    methods = document.get("code_challenge_methods_supported")
    if not isinstance(methods, list) or "S256" not in methods:
        refuse(CODE, "code_challenge_methods_supported: S256")
    revocation = document.get("revocation_endpoint")
    return Metadata(
        issuer=_address(document, "issuer", trust),
        authorization_endpoint=_address(document, "authorization_endpoint", trust),
        token_endpoint=_address(document, "token_endpoint", trust),
        jwks_uri=_address(document, "jwks_uri", trust),
        revocation_endpoint=None if revocation is None else _address(document, "revocation_endpoint", trust),
        says_iss=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _address(document: Mapping[str, object], name: str, trust: Trust) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        refuse(CODE, f"{name}: missing")
    if not trust.allows(value):
        refuse(CODE, f"{name}: origin")
    return value
