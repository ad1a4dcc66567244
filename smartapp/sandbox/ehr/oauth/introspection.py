"""What a token is, told to who may know (RFC 7662 §2.2)."""

from typing import Any

from smartapp.sandbox.ehr.config import Client
from smartapp.sandbox.ehr.oauth.grants import fhir_user_of, subject_of
from smartapp.sandbox.ehr.site import Site
from smartapp.sandbox.ehr.state import Token

INACTIVE = {"active": False}


def describe(site: Site, client: Client, value: str) -> dict[str, Any]:
    """The state of an access token. Another client's token reads as inactive, except to a resource server.

    `persons` is ours: the sample people whose records the token reaches (absent: everybody's), under the names of the
    sample world, so that the PACS needs no FHIR ids.
    """
    token = site.state.access(value)
    if token is None or not (client.introspection or token.grant.client_id == client.client_id):
        return INACTIVE
    given = token.grant
    patient = {"patient": site.patient_id(given.patient)} if given.patient else {}
    user = {"fhirUser": fhir_user_of(site, given)} if given.user else {}
    return {
        "active": True,
        "scope": " ".join(token.scopes),
        "client_id": given.client_id,
        "token_type": "Bearer",
        "iat": int(token.issued.timestamp()),
        "exp": int(token.expires.timestamp()),
        "iss": site.base,
        "sub": subject_of(site, given),
        **patient,
        **user,
        **_persons(token),
    }


def _persons(token: Token) -> dict[str, Any]:
    given, levels = token.grant, {scope.partition("/")[0] for scope in token.scopes}
    if "system" in levels:
        return {}
    reached = set(given.user.patients) if given.user and "user" in levels else set()
    return {"persons": sorted(reached | ({given.patient} if given.patient else set()))}
