"""Who signed in, and what that makes them to the record (SMART App Launch 2.2: `fhirUser`)."""

import re
from collections.abc import Iterable

from smartapp.identity.model import PrincipalKind
from smartapp.launch.model import FhirUser
from smartapp.launch.refusals import refuse

_RELATIVE = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})")


def read_fhir_user(claim: str | None, bases: Iterable[str], patient: str) -> FhirUser:
    """The `fhirUser` claim as a relative reference, and the person's relation to `Patient/{patient}`.

    An absolute one must lie under one of the EHR's own `bases`. Somebody else's Patient, or a RelatedPerson, is a
    representative: the EHR's own token is the evidence. Raises Refusal (`smart.fhiruser.bad`) for anything else.
    """
    local = _relative(claim or "", bases)
    shape = _RELATIVE.fullmatch(local)
    if shape is None or set(shape[2]) <= {"."}:
        refuse("smart.fhiruser.bad", "form")
    match shape[1]:
        case "Patient":
            own = shape[2] == patient
            return FhirUser(local, PrincipalKind.PATIENT if own else PrincipalKind.REPRESENTATIVE)
        case "RelatedPerson":
            return FhirUser(local, PrincipalKind.REPRESENTATIVE)
        case "Practitioner" | "PractitionerRole":
            return FhirUser(local, PrincipalKind.CLINICIAN)
        case _:
            return refuse("smart.fhiruser.bad", "type")


def _relative(claim: str, bases: Iterable[str]) -> str:
    for base in bases:
        root = base.rstrip("/") + "/"
        if claim.startswith(root):
            return claim.removeprefix(root)
    return claim
