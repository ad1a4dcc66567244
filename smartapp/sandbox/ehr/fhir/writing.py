"""What may be written: a Consent that is valid R4 (the only type that the sandbox's EHR accepts)."""

import json

from flask import request

from smartapp.sandbox.ehr.fhir.errors import FhirError
from smartapp.sandbox.ehr.resources.common import Resource


def consent_of(type_: str, id_: str | None) -> Resource:
    """The Consent in the request's body, with the id of the path; FhirError 405 for other types, 400 for a bad one."""
    if type_ != "Consent":
        raise FhirError(405, "not-supported", "Only Consent can be written here.")
    try:
        body = json.loads(request.get_data(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise FhirError(400, "structure", "The body is no JSON.") from error
    if not isinstance(body, dict) or body.get("resourceType") != "Consent":
        raise FhirError(400, "structure", "The body is no Consent.")
    if id_ is not None and body.get("id") != id_:
        raise FhirError(400, "invalid", "The id in the body is not the one in the path.")
    _validate(body)
    return body


def _refuse(constant: str) -> None:
    """NaN and Infinity are no JSON (RFC 8259 §6), whatever Python thinks of them."""
    raise ValueError(constant)


def _validate(body: Resource) -> None:
    from fhir.resources.R4B.consent import Consent  # noqa: PLC0415 - a second of import, for the few that write

    try:
        Consent.model_validate(body)
    except (ValueError, RecursionError) as error:
        raise FhirError(400, "structure", "The Consent is not valid R4.") from error
