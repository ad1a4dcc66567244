"""References, read strictly: within this EHR, or none (FHIR R4, references.html#literal)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from smartapp.fhir.upstream.documents import Json, part, text

_LITERAL = re.compile(r"([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_PEOPLE: Final = frozenset({"Patient", "Group", "RelatedPerson", "Person"})
"""Types that are, or hold, patients: only the record's own Patient may be named by what is handed on."""
_DEPTH: Final = 40


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


def is_of(resource: Json, patient_id: str, base: str, about: str = "subject") -> bool:
    """Whether the resource's subject (its element `about`) is this patient, plainly said: a missing subject, a
    contained one or another server's is nobody's.
    """
    return reference_in(resource, about, base) == Reference("Patient", patient_id)


def names_others(resource: Json, patient_id: str, base: str) -> bool:
    """Whether anything in it, contained resources included, names a patient (or a group of them) but this one.

    What cannot be told counts as another: a person named by identifier alone or on another server, contained people,
    and what is nested too deep to be read (threat A18).
    """
    own = Reference("Patient", patient_id)
    return any(_is_other(node, own, base) for node in _nodes(resource, _DEPTH))


def _is_other(node: Json | None, own: Reference, base: str) -> bool:
    if node is None:
        return True
    if text(node.get("resourceType")) in _PEOPLE:
        return True
    said = node.get("reference")
    if isinstance(said, str):
        found = read_reference(text(said), base)
        if found is not None:
            return found.type in _PEOPLE and found != own
        return any(f"{people}/" in said for people in _PEOPLE)
    return text(node.get("type")) in _PEOPLE and isinstance(node.get("identifier"), dict)


def _nodes(value: Any, depth: int) -> Iterator[Json | None]:
    """Every object in `value`; None where it goes deeper than `depth`."""
    if isinstance(value, dict | list) and depth == 0:
        yield None
        return
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nodes(inner, depth - 1)
