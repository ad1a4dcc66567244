"""The claims of an id_token (OpenID Connect Core §2; SMART App Launch 2.2, scopes for identity)."""

from datetime import timedelta
from typing import Any, Final

from smartapp.authserver import addresses
from smartapp.consent.grants.model import Grant
from smartapp.tokens.apps.model import Family
from smartapp.web.parts import parts

LIFETIME: Final = timedelta(minutes=5)
_AT_THE_HOSPITAL: Final = "urn:smartapp:acr:hospital"
"""How sure we are: the hospital signed the person in, by its own means."""


def id_token(provider: str, family: Family, grant: Grant) -> str:
    """A signed id_token for the app of `family`, about the person who allowed it."""
    now = parts().clock.now()
    claims: dict[str, Any] = {
        "iss": addresses.issuer(provider),
        "aud": family.client_id,
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
        "acr": _AT_THE_HOSPITAL,
        "amr": ["fed"],
        **about(provider, grant),
    }
    if family.nonce:
        claims["nonce"] = family.nonce
    if family.auth_time is not None:
        claims["auth_time"] = int(family.auth_time.timestamp())
    return parts().signing.sign(claims)


def about(provider: str, grant: Grant) -> dict[str, Any]:
    """Who the person is: always the same opaque `sub` at one hospital, and where our FHIR server shows them."""
    sub = parts().keyring.mac("oauth.subject", f"{provider}/{grant.person_id}")[:32]
    return {"sub": sub, "fhirUser": addresses.fhir_user(provider, grant.fhir_user)}
