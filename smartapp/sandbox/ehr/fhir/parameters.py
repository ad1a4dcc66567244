"""Which search parameters each type has, of what kind, and where their values are (FHIR R4 §3.1.1.4)."""

import re
from collections.abc import Iterator
from typing import Any, Literal

from smartapp.sandbox.ehr.resources.common import Resource

Kind = Literal["token", "reference", "date", "string"]
Parameters = dict[str, tuple[Kind, str]]

_COMMON: Parameters = {"_id": ("token", "id"), "_lastUpdated": ("date", "meta.lastUpdated")}
_ABOUT: Parameters = {"patient": ("reference", "subject"), "subject": ("reference", "subject")}
_NAMED: Parameters = {"identifier": ("token", "identifier"), "name": ("string", "name")}

PARAMETERS: dict[str, Parameters] = {
    "Patient": {
        **_COMMON,
        **_NAMED,
        "family": ("string", "name.family"),
        "given": ("string", "name.given"),
        "birthdate": ("date", "birthDate"),
        "gender": ("token", "gender"),
        "organization": ("reference", "managingOrganization"),
    },
    "RelatedPerson": {**_COMMON, **_NAMED, "patient": ("reference", "patient")},
    "Practitioner": {**_COMMON, **_NAMED},
    "Organization": {**_COMMON, **_NAMED},
    "Endpoint": {
        **_COMMON,
        **_NAMED,
        "status": ("token", "status"),
        "connection-type": ("token", "connectionType"),
        "organization": ("reference", "managingOrganization"),
    },
    "ServiceRequest": {
        **_COMMON,
        **_ABOUT,
        "identifier": ("token", "identifier"),
        "status": ("token", "status"),
        "intent": ("token", "intent"),
        "category": ("token", "category"),
        "code": ("token", "code"),
        "authored": ("date", "authoredOn"),
        "requester": ("reference", "requester"),
    },
    "ImagingStudy": {
        **_COMMON,
        **_ABOUT,
        "identifier": ("token", "identifier"),
        "started": ("date", "started"),
        "modality": ("token", "modality"),
        "bodysite": ("token", "series.bodySite"),
        "status": ("token", "status"),
        "endpoint": ("reference", "endpoint"),
        "basedon": ("reference", "basedOn"),
        "series": ("token", "series.uid"),
    },
    "DiagnosticReport": {
        **_COMMON,
        **_ABOUT,
        "identifier": ("token", "identifier"),
        "status": ("token", "status"),
        "category": ("token", "category"),
        "code": ("token", "code"),
        "date": ("date", "effectiveDateTime"),
        "issued": ("date", "issued"),
        "based-on": ("reference", "basedOn"),
        "result": ("reference", "result"),
        "performer": ("reference", "performer"),
    },
    "Observation": {
        **_COMMON,
        **_ABOUT,
        "status": ("token", "status"),
        "category": ("token", "category"),
        "code": ("token", "code"),
        "date": ("date", "effectiveDateTime"),
        "based-on": ("reference", "basedOn"),
    },
    "Consent": {
        **_COMMON,
        "identifier": ("token", "identifier"),
        "patient": ("reference", "patient"),
        "status": ("token", "status"),
        "category": ("token", "category"),
        "scope": ("token", "scope"),
        "date": ("date", "dateTime"),
    },
    "Binary": {**_COMMON},
}

# Where a resource says whose it is; types that are not here are about nobody in particular.
COMPARTMENT = {
    "Patient": "id",
    "RelatedPerson": "patient",
    "ServiceRequest": "subject",
    "ImagingStudy": "subject",
    "DiagnosticReport": "subject",
    "Observation": "subject",
    "Consent": "patient",
    "Binary": "securityContext",
}


_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


def is_id(text: str) -> bool:
    """Whether a text is a logical id (FHIR R4 §2.24.0.1), and no step to another place of a store's addresses."""
    return bool(_ID.fullmatch(text)) and text.strip(".") != ""


def values(resource: Any, path: str) -> Iterator[Any]:
    """Everything at a dotted path, lists opened on the way."""
    head, _, rest = path.partition(".")
    found = resource.get(head) if isinstance(resource, dict) else None
    for item in found if isinstance(found, list) else [found]:
        if item is None:
            continue
        if rest:
            yield from values(item, rest)
        else:
            yield item


def patient_of(resource: Resource) -> str | None:
    """The id of the patient whom a resource is about; None if it is about nobody (or says nothing we can read)."""
    path = COMPARTMENT.get(resource["resourceType"])
    if path == "id":
        return str(resource["id"])
    for item in values(resource, path) if path else ():
        type_, _, id_ = str(item.get("reference", "")).partition("/")
        if type_ == "Patient":
            return id_
    return None
