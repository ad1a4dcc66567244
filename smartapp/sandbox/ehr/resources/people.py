"""Patient, RelatedPerson, Practitioner, Organization and Endpoint of a hospital."""

from collections.abc import Iterable, Iterator

from smartapp.sandbox.ehr.resources.common import (
    V2_IDENTIFIER_TYPE,
    Resource,
    Setting,
    concept,
    endpoint_id,
    reference,
    resource,
    sandbox_identifier,
)
from smartapp.sandbox.world import Hospital, Person, User

TOKEN_EXTENSION = "http://fhir.org/argonaut/smart-imaging/StructureDefinition/requires-access-token"
CONNECTION_TYPE = "http://terminology.hl7.org/CodeSystem/endpoint-connection-type"


def people(setting: Setting) -> Iterator[Resource]:
    """Everybody and every place, before anything that refers to them."""
    hospital = setting.hospital
    yield _organization(hospital)
    yield _endpoint(setting)
    yield from (_practitioner(hospital, user) for user in hospital.users if user.kind == "clinician")
    yield from (_patient(hospital, person) for person in hospital.people)
    yield from (_related(hospital, user) for user in hospital.users if user.kind == "representative")


def _organization(hospital: Hospital) -> Resource:
    identifier = sandbox_identifier(hospital, f"Organization/{hospital.id}")
    return resource("Organization", hospital.id, {"identifier": [identifier], "active": True, "name": hospital.name})


def _endpoint(setting: Setting) -> Resource:
    hospital = setting.hospital
    connection = {"system": CONNECTION_TYPE, "code": "dicom-wado-rs", "display": "DICOM WADO-RS"}
    return resource(
        "Endpoint",
        endpoint_id(hospital),
        {
            "extension": [{"url": TOKEN_EXTENSION, "valueBoolean": True}],
            "identifier": [sandbox_identifier(hospital, f"Endpoint/{endpoint_id(hospital)}")],
            "status": "active",
            "connectionType": connection,
            "name": f"Images of {hospital.name}",
            "managingOrganization": reference("Organization", hospital.id, hospital.name),
            "payloadType": [{"text": "DICOM"}],
            "payloadMimeType": ["application/dicom"],
            "address": setting.dicomweb,
        },
    )


def _practitioner(hospital: Hospital, user: User) -> Resource:
    return resource(
        "Practitioner",
        user.fhir_user.split("/")[1],
        {"identifier": [sandbox_identifier(hospital, user.fhir_user)], "active": True, "name": [_name(user.name)]},
    )


def _patient(hospital: Hospital, person: Person) -> Resource:
    return resource(
        "Patient",
        person.id,
        {
            "identifier": [_mrn(place, *identifier) for place, identifier in enumerate(person.identifiers)],
            "active": all(person.id not in other.replaces for other in hospital.people),
            "name": [{"use": "official", "family": person.family, "given": person.given.split()}],
            "gender": person.gender,
            "birthDate": person.birth_date,
            "managingOrganization": reference("Organization", hospital.id, hospital.name),
            "link": [*_links("replaces", person.replaces), *_links("replaced-by", _heirs(hospital, person))],
        },
    )


def _links(kind: str, others: Iterable[str]) -> list[Resource]:
    return [{"other": reference("Patient", other), "type": kind} for other in others]


def _heirs(hospital: Hospital, person: Person) -> list[str]:
    """The record that a merged one went into."""
    return [other.id for other in hospital.people if person.id in other.replaces]


def _mrn(place: int, system: str, value: str) -> Resource:
    return {
        "use": "old" if place else "usual",
        "type": concept(V2_IDENTIFIER_TYPE, "MR", "Medical record number"),
        "system": system,
        "value": value,
    }


def _related(hospital: Hospital, user: User) -> Resource:
    role = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
    return resource(
        "RelatedPerson",
        user.fhir_user.split("/")[1],
        {
            "identifier": [sandbox_identifier(hospital, user.fhir_user)],
            "active": True,
            "patient": reference("Patient", user.acts_for[0]),
            "relationship": [concept(role, "PRN", "parent")],
            "name": [_name(user.name)],
        },
    )


def _name(full: str) -> Resource:
    *given, family = full.split()
    prefix = [part for part in given if part.endswith(".")]
    return {
        "text": full,
        "family": family,
        "given": [part for part in given if part not in prefix],
        **({"prefix": prefix} if prefix else {}),
    }
