"""The claims of an id_token (OpenID Connect Core §2; SMART App Launch 2.2, scopes for identity)."""

from datetime import timedelta
from typing import Any, Final

from smartapp.authserver import addresses
from smartapp.consent.grants.model import Grant
from smartapp.consent.scopes.grammar import parse
from smartapp.identity.apps.model import App
from smartapp.tokens.apps.model import Family
from smartapp.web.parts import parts

LIFETIME: Final = timedelta(minutes=5)
_AT_THE_HOSPITAL: Final = "urn:smartapp:acr:hospital"
"""How sure we are: the hospital signed the person in, by its own means."""


def id_token(app: App, family: Family, grant: Grant, scope: str) -> str:
    """A signed id_token for `app`, about the person who allowed it; by the algorithm that the app registered."""
    now = parts().clock.now()
    claims: dict[str, Any] = {
        "iss": addresses.issuer(app.provider),
        "aud": family.client_id,
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
        "acr": _AT_THE_HOSPITAL,
        "amr": ["fed"],
        **about(app.provider, grant, scope),
    }
    if family.nonce:
        claims["nonce"] = family.nonce
    if family.auth_time is not None:
        claims["auth_time"] = int(family.auth_time.timestamp())
    return parts().signing.sign(claims, app.metadata.id_token_signed_response_alg)


def about(provider: str, grant: Grant, scope: str) -> dict[str, Any]:
    """Who the person is: always the same opaque `sub` at one hospital, and, with the scope `fhirUser`, where our FHIR
    server shows them.
    """
    sub = parts().keyring.mac("oauth.subject", f"{provider}/{grant.person_id}")[:32]
    if "fhirUser" not in parse(scope).words:
        return {"sub": sub}
    return {"sub": sub, "fhirUser": addresses.fhir_user(provider, grant.fhir_user)}
