"""Our FHIR address as an Endpoint (profile User Access Endpoint, SMART App Launch 2.2). Pure."""

from typing import Any, Final

from smartapp.settings import Brand, Provider

Json = dict[str, Any]

PROFILE: Final = "http://hl7.org/fhir/smart-app-launch/StructureDefinition/user-access-endpoint"
_VERSION: Final = "http://hl7.org/fhir/StructureDefinition/endpoint-fhir-version"
_CONNECTIONS: Final = "http://terminology.hl7.org/CodeSystem/endpoint-connection-type"
_PAYLOADS: Final = "http://terminology.hl7.org/CodeSystem/endpoint-payload-type"
_SYSTEMS: Final = {"https": "url", "mailto": "email", "tel": "phone"}


def endpoint(provider: Provider, brand: Brand, base_url: str) -> Json:
    """The hospital's FHIR base, and where developers are helped: first the page on which they register apps."""
    return {
        "resourceType": "Endpoint",
        "id": provider.id,
        "extension": [{"url": _VERSION, "valueCode": "4.0.1"}],
        "status": brand.endpoint_status,
        "connectionType": {"system": _CONNECTIONS, "code": "hl7-fhir-rest"},
        "name": f"FHIR R4 endpoint of {provider.name}",
        "managingOrganization": {"reference": f"Organization/{provider.id}", "display": provider.name},
        "contact": [_contact(each) for each in (f"{base_url}/developers", *brand.contacts)],
        "payloadType": [{"coding": [{"system": _PAYLOADS, "code": "none"}]}],
        "address": f"{base_url}/{provider.id}/fhir",
    }


def _contact(address: str) -> Json:
    """`https:` addresses are kept whole; of the others what follows the scheme. The sandbox's are plain http."""
    scheme, _, rest = address.partition(":")
    system = _SYSTEMS.get(scheme, "url")
    return {"system": system, "value": address if system == "url" else rest}
