"""People and organizations as they are handed on. Pure."""

from typing import Final

from smartapp.fhir.upstream.documents import Json
from smartapp.records.resources.shapes import (
    ADDRESS,
    CONCEPT,
    CONTACT,
    DATE,
    DATE_TIME,
    GENDER,
    IDENTIFIER,
    NAME,
    PERIOD,
    flag,
    keep,
    many,
    shape,
    words,
)

_PATIENT: Final = {
    "identifier": many(IDENTIFIER),
    "active": flag,
    "name": many(NAME),
    "telecom": many(CONTACT),
    "gender": GENDER,
    "birthDate": DATE,
    "deceasedBoolean": flag,
    "deceasedDateTime": DATE_TIME,
    "address": many(ADDRESS),
    "maritalStatus": CONCEPT,
    "communication": many(shape(language=CONCEPT, preferred=flag)),
}
_PRACTITIONER: Final = {"identifier": many(IDENTIFIER), "active": flag, "name": many(NAME)}
_ORGANIZATION: Final = {
    "identifier": many(IDENTIFIER),
    "active": flag,
    "type": many(CONCEPT),
    "name": words,
    "telecom": many(CONTACT),
    "address": many(ADDRESS),
}
_RELATED: Final = {
    "identifier": many(IDENTIFIER),
    "active": flag,
    "relationship": many(CONCEPT),
    "name": many(NAME),
    "telecom": many(CONTACT),
    "period": PERIOD,
}


def patient(raw: Json, patient_id: str) -> Json:
    """The patient. Records that may be the same person's are not named: a link would lead to another record."""
    found = keep(raw, _PATIENT)
    if "deceasedBoolean" in found:
        found.pop("deceasedDateTime", None)  # one or the other (R4 patient.html)
    spoken = [each for each in found.pop("communication", []) if "language" in each]
    return {"resourceType": "Patient", "id": patient_id, **found, **({"communication": spoken} if spoken else {})}


def practitioner(raw: Json, person_id: str) -> Json:
    """Who read a report: name and numbers, nothing private."""
    return {"resourceType": "Practitioner", "id": person_id, **keep(raw, _PRACTITIONER)}


def organization(raw: Json, organization_id: str) -> Json:
    """For whom a report was read. R4 org-1: a name or an identifier is there."""
    found = keep(raw, _ORGANIZATION)
    if not found.keys() & {"name", "identifier"}:
        found["name"] = "Organization"
    return {"resourceType": "Organization", "id": organization_id, **found}


def related_person(raw: Json, person_id: str, patient_id: str) -> Json:
    """The representative who granted, as what the patient's record calls them."""
    told = keep(raw, _RELATED)
    return {
        "resourceType": "RelatedPerson",
        "id": person_id,
        **told,
        "patient": {"reference": f"Patient/{patient_id}"},
    }
