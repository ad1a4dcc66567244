"""Consents that the EHR holds from before: who does not want whom to have the record."""

from collections.abc import Iterator

from smartapp.sandbox.ehr.resources.common import (
    MADE,
    Resource,
    Setting,
    concept,
    reference,
    resource,
    sandbox_identifier,
)
from smartapp.sandbox.world import Person

_SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
_LOINC = "http://loinc.org"
_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_ROLE = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_OPT_OUT = concept(_ACT, "OPTOUT", "opt-out")


def consents(setting: Setting) -> Iterator[Resource]:
    """The organization that a person refuses, and the Consent that says so."""
    for person in setting.hospital.people:
        if person.refused:
            id_ = person.refused.lower().replace(" ", "-")
            identifier = sandbox_identifier(setting.hospital, f"Organization/{id_}")
            yield resource("Organization", id_, {"identifier": [identifier], "active": True, "name": person.refused})
            yield _refusal(setting, person, id_, person.refused)


def _refusal(setting: Setting, person: Person, organization: str, name: str) -> Resource:
    refused = {
        "role": concept(_ROLE, "IRCP", "information recipient"),
        "reference": reference("Organization", organization, name),
    }
    fields = {
        "identifier": [sandbox_identifier(setting.hospital, f"Consent/refusal-{person.id}")],
        "status": "active",
        "scope": concept(_SCOPE, "patient-privacy", "Privacy Consent"),
        "category": [concept(_LOINC, "59284-0", "Consent Document")],
        "patient": reference("Patient", person.id),
        "dateTime": MADE,
        "organization": [reference("Organization", setting.hospital.id, setting.hospital.name)],
        "policyRule": _OPT_OUT,
        "provision": {"type": "deny", "actor": [refused]},
    }
    return resource("Consent", f"refusal-{person.id}", fields)
