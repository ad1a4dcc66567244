"""Parts of resources: `_summary` and `_elements` (R4 §3.1.1.5.8, §3.1.1.5.9). Pure."""

from collections.abc import Mapping
from typing import Any, Final, Literal

Json = dict[str, Any]
SummaryMode = Literal["", "true", "text", "data", "count", "false"]

_ALWAYS: Final = frozenset({"resourceType", "id", "meta"})
_REQUIRED: Final[Mapping[str, frozenset[str]]] = {
    "ImagingStudy": frozenset({"status", "subject"}),
    "DiagnosticReport": frozenset({"status", "code"}),
    "DocumentReference": frozenset({"status", "content"}),
    "Endpoint": frozenset({"status", "connectionType", "payloadType", "address"}),
    "Consent": frozenset({"status", "scope", "category", "policyRule"}),
    "RelatedPerson": frozenset({"patient"}),
    "AuditEvent": frozenset({"type", "recorded", "agent", "source"}),
}
"""What R4 demands: it stays, whatever was asked for."""
_BRIEF: Final[Mapping[str, frozenset[str]]] = {
    "Patient": frozenset({"identifier", "active", "name", "telecom", "gender", "birthDate", "deceasedBoolean",
                          "deceasedDateTime", "address"}),
    "ImagingStudy": frozenset({"identifier", "modality", "started", "endpoint", "numberOfSeries",
                               "numberOfInstances", "description", "series"}),
    "DiagnosticReport": frozenset({"identifier", "category", "subject", "effectiveDateTime", "effectivePeriod",
                                   "issued", "performer", "resultsInterpreter"}),
    "DocumentReference": frozenset({"docStatus", "type", "category", "subject", "date"}),
    "Endpoint": frozenset({"name", "managingOrganization", "payloadMimeType"}),
    "Organization": frozenset({"identifier", "active", "type", "name"}),
    "Practitioner": frozenset({"identifier", "active", "name"}),
    "AuditEvent": frozenset({"subtype", "action", "outcome", "purposeOfEvent"}),
    "Consent": frozenset({"identifier", "patient", "dateTime", "performer", "organization", "provision"}),
}  # fmt: skip
"""The elements that R4 marks as summary."""
_SUBSETTED: Final = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}


def part(resource: Json, mode: SummaryMode, elements: frozenset[str]) -> Json:
    """The asked-for part of a resource, marked as such; the whole of it when nothing less was asked for."""
    type_ = resource["resourceType"]
    required = _ALWAYS | _REQUIRED.get(type_, frozenset())
    if elements:
        return _only(resource, required | elements)
    if mode == "true":
        return _only(resource, required | _BRIEF.get(type_, frozenset()))
    if mode == "text":
        return _only(resource, required | {"text"})
    if mode == "data":
        return _only(resource, frozenset(resource) - {"text"})
    return resource


def _only(resource: Json, names: frozenset[str]) -> Json:
    kept = {name: value for name, value in resource.items() if name in names}
    meta = kept.get("meta", {})
    return {**kept, "meta": {**meta, "tag": [*meta.get("tag", []), _SUBSETTED]}}
