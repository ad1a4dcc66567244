"""What is the provider's and nobody's: where images are read, and the hospital. Pure."""

from typing import Final

from smartapp.fhir.upstream.documents import Json
from smartapp.records.resources.ids import ENDPOINT, hospital_id

_REQUIRES_TOKEN: Final = "http://fhir.org/argonaut/smart-imaging/StructureDefinition/requires-access-token"  # noqa: S105 - a URL


def endpoint(provider: str, name: str, base_url: str) -> Json:
    """Our DICOMweb service: a client appends `/studies/{uid}` and sends the same token (SMART Imaging Access)."""
    return {
        "resourceType": "Endpoint",
        "id": ENDPOINT,
        "extension": [{"url": _REQUIRES_TOKEN, "valueBoolean": True}],
        "status": "active",
        "connectionType": {
            "system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type",
            "code": "dicom-wado-rs",
        },
        "name": f"{name}: images",
        "managingOrganization": {"reference": f"Organization/{hospital_id(provider)}"},
        "payloadType": [
            {
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/endpoint-payload-type", "code": "any"}],
                "text": "DICOM",
            }
        ],
        "payloadMimeType": ["application/dicom"],
        "address": f"{base_url.rstrip('/')}/{provider}/dicomweb",
    }


def hospital(provider: str, name: str) -> Json:
    """The hospital whose record it is."""
    return {"resourceType": "Organization", "id": hospital_id(provider), "active": True, "name": name}
