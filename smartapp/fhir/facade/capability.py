"""The CapabilityStatement (R4 capabilitystatement.html): made of the tables that answer, so that it says what is so."""

from typing import Any, Final

from smartapp.records.resources.kinds import SERVED, Served
from smartapp.records.resources.parameters import INCLUDES, PARAMETERS

Json = dict[str, Any]

_OAUTH_URIS: Final = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_SECURITY: Final = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_PUBLISHED: Final = "2026-11-24"
"""When the tables changed last."""
_DATES: Final = "A date that names no zone is meant at the hospital."
_PATIENT: Final = (
    "A token reaches one record. References between Patient records (Patient.link) are not followed and not shown; "
    "another patient's id is refused."
)


def statement(provider: str, name: str, base_url: str) -> Json:
    """What this server does for one provider; `base_url` is our own address."""
    issuer = f"{base_url.rstrip('/')}/{provider}"
    return {
        "resourceType": "CapabilityStatement",
        "id": provider,
        "url": f"{issuer}/fhir/metadata",
        "name": "SmartappImaging",
        "title": f"{name}: imaging for apps",
        "status": "active",
        "date": _PUBLISHED,
        "kind": "instance",
        "software": {"name": "smartapp"},
        "implementation": {"description": f"{name}: imaging for apps", "url": f"{issuer}/fhir"},
        "fhirVersion": "4.0.1",
        "format": ["json", "application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "documentation": f"{_PATIENT} {_DATES}",
                "security": _security(issuer),
                "resource": [_resource(each) for each in SERVED.values()],
            }
        ],
    }


def _security(issuer: str) -> Json:
    uris = {
        "authorize": f"{issuer}/oauth/authorize",
        "token": f"{issuer}/oauth/token",
        "register": f"{issuer}/oauth/register",
        "manage": f"{issuer.rpartition('/')[0]}/my/apps",
        "introspect": f"{issuer}/oauth/introspect",
        "revoke": f"{issuer}/oauth/revoke",
    }
    return {
        "extension": [
            {"url": _OAUTH_URIS, "extension": [{"url": name, "valueUri": uri} for name, uri in uris.items()]}
        ],
        "cors": True,
        "service": [{"coding": [{"system": _SECURITY, "code": "SMART-on-FHIR"}], "text": "SMART App Launch 2.2"}],
    }


def _resource(each: Served) -> Json:
    interactions = ["read", *(["search-type"] if each.searched else [])]
    resource: Json = {
        "type": each.type,
        "interaction": [{"code": code} for code in interactions],
        "versioning": "no-version",
        "readHistory": False,
        "conditionalRead": "not-match",
        "searchInclude": [f"{each.type}:{name}" for name in INCLUDES.get(each.type, ())],
        "searchParam": [{"name": one.name, "type": one.kind.value} for one in PARAMETERS.get(each.type, {}).values()],
    }
    return {name: value for name, value in resource.items() if value != []}
