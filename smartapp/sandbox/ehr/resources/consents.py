"""Consents that the EHR holds from before: who does not want whom to have the record, or what of it."""

from collections.abc import Iterator

from smartapp.sandbox.ehr.resources.common import (
    CONFIDENTIALITY,
    MADE,
    Resource,
    Setting,
    concept,
    reference,
    resource,
    sandbox_identifier,
)
from smartapp.sandbox.world import Denial, Person

_SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
_LOINC = "http://loinc.org"
_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_TYPES = "http://hl7.org/fhir/resource-types"
_ROLE = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_OPT_OUT = concept(_ACT, "OPTOUT", "opt-out")


def consents(setting: Setting) -> Iterator[Resource]:
    """The organization that a person refuses, and the Consent that says so; and what else a person refuses."""
    for person in setting.hospital.people:
        if person.refused:
            id_ = person.refused.lower().replace(" ", "-")
            identifier = sandbox_identifier(setting.hospital, f"Organization/{id_}")
            yield resource("Organization", id_, {"identifier": [identifier], "active": True, "name": person.refused})
            yield _refusal(setting, person, id_, person.refused)
        for denial in person.denials:
            if denial.studies and not setting.imaging_study:
                continue  # where there is no such resource, none can be named
            yield _consent(setting, person, f"denial-{person.id}-{denial.name}", _provision(denial))


def _provision(denial: Denial) -> Resource:
    """Only what the denial names narrows it (FHIR R4 consent.html); a nested provision excepts from it."""
    said: Resource = {"type": "deny"}
    if denial.labels:
        said["securityLabel"] = [{"system": CONFIDENTIALITY, "code": code} for code in denial.labels]
    if denial.classes:
        said["class"] = [{"system": _TYPES, "code": code} for code in denial.classes]
    if denial.studies:
        said["data"] = [
            {"meaning": "instance", "reference": reference("ImagingStudy", study)} for study in denial.studies
        ]
    if denial.but_since:
        said["provision"] = [{"type": "permit", "dataPeriod": {"start": denial.but_since}}]
    return said


def _refusal(setting: Setting, person: Person, organization: str, name: str) -> Resource:
    refused = {
        "role": concept(_ROLE, "IRCP", "information recipient"),
        "reference": reference("Organization", organization, name),
    }
    return _consent(setting, person, f"refusal-{person.id}", {"type": "deny", "actor": [refused]})


def _consent(setting: Setting, person: Person, id_: str, provision: Resource) -> Resource:
    fields = {
        "identifier": [sandbox_identifier(setting.hospital, f"Consent/{id_}")],
        "status": "active",
        "scope": concept(_SCOPE, "patient-privacy", "Privacy Consent"),
        "category": [concept(_LOINC, "59284-0", "Consent Document")],
        "patient": reference("Patient", person.id),
        "dateTime": MADE,
        "organization": [reference("Organization", setting.hospital.id, setting.hospital.name)],
        "policyRule": _OPT_OUT,
        "provision": provision,
    }
    return resource("Consent", id_, fields)
