"""References, read strictly: within this EHR, or none (FHIR R4, references.html#literal)."""

import re
from dataclasses import dataclass

from smartapp.fhir.upstream.documents import Json, part, text

_LITERAL = re.compile(r"([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


@dataclass(frozen=True)
class Reference:
    """A resource of this EHR."""

    type: str
    id: str

    def __str__(self) -> str:
        return f"{self.type}/{self.id}"


def is_id(value: object) -> bool:
    """Whether `value` is a FHIR id (R4 datatypes.html#id) that means nothing else in a path."""
    return isinstance(value, str) and bool(_ID.fullmatch(value)) and bool(set(value) - {"."})


def read_reference(value: str, base: str) -> Reference | None:
    """The resource that `value` names: relative, or absolute under this EHR's own `base`.

    None for a reference to another server, a contained resource, a URN, or anything that is not plainly one.
    """
    root = base.rstrip("/") + "/"
    found = _LITERAL.fullmatch(value.removeprefix(root))
    return Reference(found[1], found[2]) if found and is_id(found[2]) else None


def reference_in(holder: Json, name: str, base: str) -> Reference | None:
    """The literal reference in the element `name`, if it is one of this EHR."""
    return read_reference(text(part(holder, name).get("reference")), base)


def is_of(resource: Json, patient_id: str, base: str) -> bool:
    """Whether the resource's subject is this patient, plainly said: a missing subject, a contained one or another
    server's is nobody's.
    """
    return reference_in(resource, "subject", base) == Reference("Patient", patient_id)
