"""The search parameters that a scope may be narrowed by, and what their values mean (FHIR R4 §3.1.1.4). Pure.

A parameter or value that is not understood makes its scope say nothing at all (wire.md): it never makes it wide.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from smartapp.consent.bodysites import SNOMED, place
from smartapp.consent.scopes import days


class Kind(Enum):
    """How the values of a parameter are to be read."""

    ID = auto()
    """A FHIR id."""
    TOKEN = auto()
    """`code`, `system|code`, or `|code` where there must be no system."""
    DAY = auto()
    """A year, month or day with a prefix."""


PARAMETERS: Final[Mapping[str, Mapping[str, Kind]]] = {
    "ImagingStudy": {
        "_id": Kind.ID,
        "identifier": Kind.TOKEN,
        "modality": Kind.TOKEN,
        "bodysite": Kind.TOKEN,
        "started": Kind.DAY,
        "status": Kind.TOKEN,
    },
    "DiagnosticReport": {
        "_id": Kind.ID,
        "category": Kind.TOKEN,
        "code": Kind.TOKEN,
        "date": Kind.DAY,
        "status": Kind.TOKEN,
    },
    "Consent": {"category": Kind.TOKEN, "status": Kind.TOKEN},
}
"""By resource type. Of a type that is not here, no parameter is understood."""

SINGLE: Final = frozenset({"_id", "status"})
"""Of these a resource has one value: two filters that share none are satisfied by nothing."""

_OWN_SYSTEM: Final[Mapping[tuple[str, str], str]] = {
    ("ImagingStudy", "modality"): "http://dicom.nema.org/resources/ontology/DCM",
    ("ImagingStudy", "status"): "http://hl7.org/fhir/imagingstudy-status",
    ("DiagnosticReport", "status"): "http://hl7.org/fhir/diagnostic-report-status",
    ("Consent", "status"): "http://hl7.org/fhir/consent-state-codes",
}
"""Where all codes are of one system, a value without a system means that one."""

_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")


@dataclass(frozen=True)
class Token:
    """A token value. `system` is None where any will do, and empty where there must be none."""

    system: str | None
    code: str


def understood(type_: str, name: str, value: str) -> bool:
    """Whether this value of this parameter is one that we can decide by."""
    kind = PARAMETERS.get(type_, {}).get(name)
    if kind is Kind.ID:
        return _ID.fullmatch(value) is not None
    if kind is Kind.DAY:
        return days.read(value) is not None
    return kind is Kind.TOKEN and _is_token(value)


def token(type_: str, name: str, value: str) -> Token:
    """What an understood value means, in the one form in which equal things are equal."""
    system, bar, code = value.rpartition("|")
    told = system if bar else None
    if name == "bodysite" and type_ == "ImagingStudy":
        return _body_site(told, code)
    own = _OWN_SYSTEM.get((type_, name))
    return Token(own if told is None else told, code)


def implies(type_: str, name: str, narrow: str, wide: str) -> bool:
    """Whether whatever the value `narrow` matches is matched by `wide` too; not for days."""
    if narrow == wide:
        return True
    if PARAMETERS[type_][name] is not Kind.TOKEN:
        return False
    one, other = token(type_, name, narrow), token(type_, name, wide)
    return one == other or (other.system is None and one.code == other.code)


def _is_token(value: str) -> bool:
    """A backslash would escape what we split by (FHIR R4 §3.1.1.4.0.1): we know no code that needs one."""
    system, _, code = value.rpartition("|")
    return bool(code) and "|" not in system and "\\" not in value and value.isprintable() and value == value.strip()


def _body_site(system: str | None, code: str) -> Token:
    """A DICOM keyword and the SNOMED CT code of one place are the same; a keyword has no system of its own."""
    if system == SNOMED and code.isdecimal():
        return Token(SNOMED, place(code))
    if system is not None:
        return Token(system, code)
    found = place(code)
    return Token(SNOMED if found.isdecimal() else None, found)
