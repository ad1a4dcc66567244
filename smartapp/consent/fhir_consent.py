"""A grant as FHIR Consent (R4), for the EHR to keep (promise B5). Pure.

The rule is opt-out; what the patient allowed is the permit nested in the root provision, which itself has no type (R4,
Consent.provision). What R4 has no place for (de-identified images, future studies) stands in the attached receipt.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from smartapp.consent.grants.model import LIVING, Grant, GrantState
from smartapp.consent.receipts import Parties, receipt

_TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"
_DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_SNOMED: Final = "http://snomed.info/sct"
Json = dict[str, Any]


@dataclass(frozen=True)
class Stated:
    """What a Consent says besides the grant: its state now, the parties, and the moment (UTC)."""

    state: GrantState
    parties: Parties
    at: datetime


def identifier_of(grant: Grant, issuer: str) -> tuple[str, str]:
    """System and value by which the grant's Consent is found again at the EHR: one Consent for all its versions."""
    return f"{issuer}/grants", grant.id


def consent_of(grant: Grant, stated: Stated) -> Json:
    """The Consent: `active` while the grant lives, held or not; `inactive`, with its end, from then on."""
    system, value = identifier_of(grant, stated.parties.issuer)
    living = stated.state in LIVING
    return {
        "resourceType": "Consent",
        "identifier": [{"system": system, "value": value}],
        "status": "active" if living else "inactive",
        "scope": _concept(f"{_TERMINOLOGY}/consentscope", "patient-privacy", "Privacy Consent"),
        "category": [_concept("http://loinc.org", "59284-0", "Consent Document")],
        "patient": {"reference": f"Patient/{grant.patient.patient_id}"},
        "dateTime": _instant(grant.changed_at),
        "performer": [{"reference": grant.fhir_user}],
        "organization": [{"display": stated.parties.hospital}],
        "sourceAttachment": _signed(grant, stated),
        "policyRule": _concept(f"{_TERMINOLOGY}/v3-ActCode", "OPTOUT", "opt-out"),
        "provision": {"provision": [_permit(grant, stated, living=living)]},
    }


def _permit(grant: Grant, stated: Stated, *, living: bool) -> Json:
    terms = grant.terms
    permit: Json = {
        "type": "permit",
        "period": _period(grant, stated, living=living),
        "actor": [_recipient(grant, stated)],
        "purpose": [{"system": f"{_TERMINOLOGY}/v3-ActReason", "code": terms.purpose}],
        "class": [{"system": "http://hl7.org/fhir/resource-types", "code": code} for code in _classes(grant)],
    }
    codes = [*(_coding(_DCM, code) for code in sorted(terms.modalities)), *map(_site, sorted(terms.body_sites))]
    if codes:
        permit["code"] = [{"coding": [code]} for code in codes]
    if terms.started_from or terms.started_to:
        ends = (("start", terms.started_from), ("end", terms.started_to))
        permit["dataPeriod"] = {name: day.isoformat() for name, day in ends if day}
    if terms.chosen is not None:
        permit["data"] = [_study(uid) for uid in sorted(terms.chosen)]
    return permit


def _period(grant: Grant, stated: Stated, *, living: bool) -> Mapping[str, str]:
    ended = grant.changed_at if grant.state not in LIVING else stated.at
    end = grant.expires_at if living else min(ended, grant.expires_at or ended)
    return {"start": _instant(grant.approved_at), **({"end": _instant(end)} if end else {})}


def _recipient(grant: Grant, stated: Stated) -> Json:
    known = {"system": f"{stated.parties.issuer}/clients", "value": grant.client_id}
    app = {"type": "Device", "identifier": known, "display": stated.parties.app or grant.client_id}
    role = _concept(f"{_TERMINOLOGY}/v3-ParticipationType", "IRCP", "information recipient")
    return {"role": role, "reference": app}


def _classes(grant: Grant) -> list[str]:
    return ["ImagingStudy", *(["DiagnosticReport"] if grant.terms.reports else [])]


def _study(uid: str) -> Json:
    """R4 §Identifier use in ImagingStudy: `urn:dicom:uid` with the UID as `urn:oid:`."""
    identifier = {"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}
    return {"meaning": "instance", "reference": {"type": "ImagingStudy", "identifier": identifier}}


def _site(code: str) -> Json:
    return _coding(_SNOMED, code) if code.isdecimal() else _coding(_DCM, code)


def _signed(grant: Grant, stated: Stated) -> Json:
    said = receipt(grant, stated.state, stated.parties, made_at=stated.at)
    data = json.dumps(said, ensure_ascii=False, sort_keys=True).encode()
    return {
        "contentType": "application/json",
        "title": "What the patient agreed to",
        "creation": _instant(grant.changed_at),
        "data": base64.b64encode(data).decode(),
    }


def _concept(system: str, code: str, display: str) -> Json:
    return {"coding": [{**_coding(system, code), "display": display}]}


def _coding(system: str, code: str) -> Json:
    return {"system": system, "code": code}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
