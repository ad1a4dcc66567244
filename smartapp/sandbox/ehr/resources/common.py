"""Small shapes that every resource builder uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smartapp.sandbox.world import Hospital

Resource = dict[str, Any]

DICOM = "http://dicom.nema.org/resources/ontology/DCM"
SNOMED = "http://snomed.info/sct"
V2_IDENTIFIER_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
MADE = "2026-01-05T08:00:00Z"


@dataclass(frozen=True)
class Setting:
    """Where resources are built for: hospital, FHIR base, the PACS's DICOMweb base, and whether ImagingStudy exists."""

    hospital: Hospital
    fhir_base: str
    dicomweb: str
    imaging_study: bool = True


def resource(
    type_: str, id_: str, fields: Mapping[str, Any], updated: str = MADE, labels: Sequence[str] = ()
) -> Resource:
    """A resource with its id and the time it was last changed; fields that are empty are left out, as FHIR wants.

    `labels` are codes of v3-Confidentiality.
    """
    kept = {name: value for name, value in fields.items() if value not in (None, [], {}, "")}
    meta: Resource = {"versionId": "1", "lastUpdated": updated}
    if labels:
        meta["security"] = [{"system": CONFIDENTIALITY, "code": label} for label in labels]
    return {"resourceType": type_, "id": id_, "meta": meta, **kept}


def concept(system: str, code: str, text: str) -> Resource:
    """A CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": code, "display": text}], "text": text}


def reference(type_: str, id_: str, display: str | None = None) -> Resource:
    """A relative Reference."""
    return {"reference": f"{type_}/{id_}", **({"display": display} if display else {})}


def endpoint_id(hospital: Hospital) -> str:
    """The Endpoint of a hospital's PACS: its own even where several hospitals share one store."""
    return f"{hospital.id}-pacs"


def sandbox_identifier(hospital: Hospital, value: str) -> Resource:
    """An identifier by which a resource without a public one is found again in another store."""
    return {"system": f"urn:oid:{_arc(hospital)}.102", "value": value}


def accession(hospital: Hospital, number: str) -> Resource:
    """An accession number with the type (v2-0203 ACSN) and the hospital as who assigned it."""
    return {
        "type": {"coding": [{"system": V2_IDENTIFIER_TYPE, "code": "ACSN", "display": "Accession ID"}]},
        "system": f"urn:oid:{_arc(hospital)}.101",
        "value": number,
        "assigner": reference("Organization", hospital.id, hospital.name),
    }


def _arc(hospital: Hospital) -> str:
    return hospital.mrn_system.removeprefix("urn:oid:")
