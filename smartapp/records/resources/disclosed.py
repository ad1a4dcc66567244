"""What an app was given, as AuditEvent (FHIR R4 auditevent.html; IHE BALP, PatientRead). Pure.

One for each disclosure: it says that something of the record, or of a study, was read from a moment on, by which
request and with which token. How much it came to changes while it runs, and is not told here.
"""

import hashlib
from typing import Any, Final

from smartapp.audit.usage import Opening
from smartapp.fhir.upstream.documents import Json
from smartapp.records.resources.ids import hospital_id
from smartapp.records.resources.moments import instant

_ENTITY: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_IHE_ENTITY: Final = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
_DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_TO, _FROM = ("110152", "Destination Role ID"), ("110153", "Source Role ID")


def event_id(opening: Opening) -> str:
    """The id of the AuditEvent of a disclosure."""
    return hashlib.sha256(f"AuditEvent\x1f{opening.id}".encode()).hexdigest()[:40]


def audit_event(opening: Opening, provider: str, client: tuple[str, str], patient_id: str, study: str | None) -> Json:
    """The event. `client` is the app: its id and name; `study` the id of our ImagingStudy, where it may be named."""
    source = {"reference": f"Organization/{hospital_id(provider)}"}
    app = {"identifier": {"value": client[0]}, **({"display": client[1]} if client[1] else {})}
    entities = [_entity("1", "1", f"Patient/{patient_id}")]
    if study is not None:
        entities.append(_entity("2", "4", f"ImagingStudy/{study}"))
    if opening.request_id:
        entities.append(_request(opening.request_id))
    agent = _agent(_TO, app, asked=True)
    if opening.token:
        agent["policy"] = [f"urn:token:{opening.token}"]
    return {
        "resourceType": "AuditEvent",
        "id": event_id(opening),
        "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
        "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": "read"}],
        "action": "R",
        "recorded": instant(opening.at),
        "outcome": "0",
        "purposeOfEvent": [_concept("http://terminology.hl7.org/CodeSystem/v3-ActReason", opening.purpose)],
        "agent": [agent, _agent(_FROM, source, asked=False)],
        "source": {"observer": source},
        "entity": entities,
    }


def _concept(system: str, code: str, **more: str) -> Json:
    return {"coding": [{"system": system, "code": code, **more}]}


def _agent(role: tuple[str, str], who: dict[str, Any], *, asked: bool) -> Json:
    return {"type": _concept(_DCM, role[0], display=role[1]), "who": who, "requestor": asked}


def _request(request_id: str) -> Json:
    """The `X-Request-Id` that the answer carried (BALP, entity:transaction)."""
    return {
        "what": {"identifier": {"value": request_id}},
        "type": {"system": _IHE_ENTITY, "code": "XrequestId"},
    }


def _entity(type_: str, role: str, reference: str) -> Json:
    return {
        "what": {"reference": reference},
        "type": {"system": _ENTITY, "code": type_},
        "role": {"system": _ROLE, "code": role},
    }
