"""Identifiers of studies and orders (FHIR R4 imagingstudy.html#notes, v2-0203)."""

import re
from collections.abc import Iterable, Iterator

from smartapp.fhir.upstream.documents import Json, part, parts, text
from smartapp.fhir.upstream.model import Accession

DICOM_UID = "urn:dicom:uid"
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")


def study_uid(identifiers: Iterable[Json]) -> str:
    """The Study Instance UID among the identifiers; empty if there is none, or several that differ."""
    found = {uid for entry in identifiers if text(entry.get("system")) == DICOM_UID and (uid := _uid(entry))}
    return found.pop() if len(found) == 1 else ""


def _uid(identifier: Json) -> str:
    value = text(identifier.get("value")).removeprefix("urn:oid:")
    return value if len(value) <= 64 and _UID.fullmatch(value) else ""


def is_uid(value: object) -> bool:
    """Whether `value` is a DICOM UID (PS3.5 §9.1; real archives hold components with leading zeros)."""
    return isinstance(value, str) and len(value) <= 64 and bool(_UID.fullmatch(value))


def accessions(resource: Json) -> tuple[Accession, ...]:
    """The accession numbers of a resource: its own identifiers of type ACSN, and those of the orders it names."""
    own = (entry for entry in parts(resource, "identifier") if _is_accession(entry))
    orders = (part(order, "identifier") for order in parts(resource, "basedOn"))
    named = [*own, *(entry for entry in orders if entry and (_is_accession(entry) or not entry.get("type")))]
    return tuple(dict.fromkeys(_accession(named)))


def _is_accession(identifier: Json) -> bool:
    return any(text(coding.get("code")) == "ACSN" for coding in parts(part(identifier, "type"), "coding"))


def _accession(identifiers: Iterable[Json]) -> Iterator[Accession]:
    for entry in identifiers:
        if value := text(entry.get("value"), 64):
            yield Accession(text(entry.get("system"), 300), value)
