"""The Bundle of a hospital's brands and its endpoint (profile User Access Brands Bundle), with its times."""

import json
from datetime import datetime
from typing import Any, Final

from smartapp.authserver.brands import endpoint as endpoints
from smartapp.authserver.brands import organization
from smartapp.db.revisions.service import Revisions
from smartapp.settings import Brand, Provider
from smartapp.settings.brands import identifiers

Json = dict[str, Any]

PROFILE: Final = "http://hl7.org/fhir/smart-app-launch/StructureDefinition/user-access-brands-bundle"
_PROFILES: Final = {"Organization": organization.PROFILE, "Endpoint": endpoints.PROFILE}


def address(provider_id: str, base_url: str) -> str:
    """Where the Bundle is, for good: directories write it down."""
    return f"{base_url}/{provider_id}/brands"


def identifier(brand: Brand) -> Json:
    """The identifier of the hospital's own brand: it fits one Organization of the Bundle, and no other."""
    system, value = identifiers(brand)[0][0]
    return {"system": system, "value": value}


def bundle(provider: Provider, brand: Brand, base_url: str, revisions: Revisions) -> Json:
    """The whole Bundle. Each resource, and the Bundle itself, says when it last changed. Raises DatabaseBusy."""
    door = endpoints.endpoint(provider, brand, base_url)
    resources = [*organization.organizations(provider, brand, base_url, door), door]
    here, name = address(provider.id, base_url), f"brands/{provider.id}"
    parts = [f"{each['resourceType']}/{each['id']}" for each in resources]
    contents = {f"{name}/{part}": _bytes(each) for part, each in zip(parts, resources, strict=True)}
    since = revisions.since({name: _bytes([here, *resources]), **contents})
    changed = since[name].isoformat()
    return {
        "resourceType": "Bundle",
        "id": provider.id,
        "meta": {"lastUpdated": changed, "profile": [PROFILE]},
        "type": "collection",
        "timestamp": changed,
        "entry": [
            {"fullUrl": f"{here}/{part}", "resource": _dated(each, since[f"{name}/{part}"])}
            for part, each in zip(parts, resources, strict=True)
        ],
    }


def _dated(resource: Json, changed: datetime) -> Json:
    meta = {"lastUpdated": changed.isoformat(), "profile": [_PROFILES[resource["resourceType"]]]}
    return {"resourceType": resource["resourceType"], "id": resource["id"], "meta": meta, **resource}


def _bytes(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True).encode()
