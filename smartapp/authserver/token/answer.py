"""What the token endpoint answers (RFC 6749 §5.1; SMART App Launch 2.2, token response)."""

from typing import Any

from flask import url_for

from smartapp.authserver import addresses
from smartapp.authserver.id_token.claims import id_token
from smartapp.consent.grants.model import Grant
from smartapp.consent.scopes.grammar import parse
from smartapp.identity.apps.model import App
from smartapp.tokens.apps.model import Family, Issued
from smartapp.web.parts import parts


def answer(app: App, issued: Issued) -> dict[str, Any]:
    """The answer as JSON. `expires_in` is in seconds."""
    said: dict[str, Any] = {
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": issued.expires_in,
        "scope": issued.scope,
    }
    if issued.refresh_token is not None:
        said["refresh_token"] = issued.refresh_token
    if issued.family is not None and issued.grant is not None:
        said.update(context(app.provider, issued.family, issued.grant))
        if "openid" in parse(issued.scope).words:
            said["id_token"] = id_token(app, issued.family, issued.grant, issued.scope)
    return said


def context(provider: str, family: Family, grant: Grant) -> dict[str, Any]:
    """The launch context and the grant's own terms, as introspection repeats them."""
    said: dict[str, Any] = {
        "patient": grant.patient.patient_id,
        "need_patient_banner": family.banner,
        "smart_style_url": parts().settings.server.base_url + url_for("style.document"),
        "authorization_details": [details(provider, grant)],
    }
    if family.fhir_context:
        said["fhirContext"] = [{"reference": reference} for reference in family.fhir_context]
    if grant.expires_at is not None:
        said["access_grant_expiration"] = grant.expires_at.isoformat(timespec="seconds")
    return said


def details(provider: str, grant: Grant) -> dict[str, Any]:
    """What scopes cannot say of the grant (RFC 9396 §7): the images, the filters and the purpose.

    Studies that were ticked one by one are not named here: the app sees them, and no others.
    """
    terms = grant.terms
    filters: dict[str, Any] = {
        "modality": sorted(terms.modalities),
        "bodysite": sorted(terms.body_sites),
        "started_from": terms.started_from.isoformat() if terms.started_from else None,
        "started_to": terms.started_to.isoformat() if terms.started_to else None,
        "chosen_studies": terms.chosen is not None,
        "future_studies": terms.future and terms.chosen is None,
    }
    return {
        "type": "smart_on_fhir",
        "locations": [addresses.fhir_base(provider)],
        "fhirVersions": ["4.0.1"],
        "grant": grant.id,
        "images": terms.images,
        "reports": terms.reports,
        "purpose": terms.purpose,
        "filters": {name: value for name, value in filters.items() if value not in (None, [])},
    }
