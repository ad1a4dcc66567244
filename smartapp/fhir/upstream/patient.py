"""Patient (FHIR R4 patient.html)."""

from smartapp.fhir.upstream.documents import Json, parts, text
from smartapp.fhir.upstream.model import Identifier, PatientLink, PatientRecord
from smartapp.fhir.upstream.references import reference_in
from smartapp.fhir.upstream.times import read_date

_FIRST = {"usual": 0, "official": 1, "": 2}


def read_patient(resource: Json, base: str) -> PatientRecord:
    """What we use of a Patient; what is missing or unreadable is left empty."""
    names = read_names(resource)
    identifiers = (
        Identifier(text(entry.get("system"), 300), text(entry.get("value"), 64), text(entry.get("use"), 20))
        for entry in parts(resource, "identifier")
    )
    return PatientRecord(
        id=text(resource.get("id")),
        name=names[0] if names else "",
        names=names,
        birth_date=read_date(resource.get("birthDate")),
        active=resource.get("active") is not False,
        identifiers=tuple(entry for entry in identifiers if entry.value),
        links=tuple(_links(resource, base)),
        raw=resource,
    )


def read_names(resource: Json) -> tuple[str, ...]:
    """The names of a Patient, RelatedPerson or Practitioner, the one to address the person by first."""
    listed = sorted(parts(resource, "name"), key=lambda name: _FIRST.get(text(name.get("use")), 3))
    return tuple(dict.fromkeys(filter(None, map(_full, listed))))


def _full(name: Json) -> str:
    if said := text(name.get("text"), 300):
        return said
    given = name.get("given")
    words = [text(word, 100) for word in given] if isinstance(given, list) else []
    return " ".join(filter(None, [*words, text(name.get("family"), 100)]))


def _links(resource: Json, base: str) -> list[PatientLink]:
    found = []
    for link in parts(resource, "link"):
        other = reference_in(link, "other", base)
        if other and other.type == "Patient":
            found.append(PatientLink(text(link.get("type"), 20), other.id))
    return found
