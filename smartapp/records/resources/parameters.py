"""The search parameters that work, by type, and what each of them looks at. Pure.

The CapabilityStatement is made of this table, so that it says what is so. What a parameter looks at is what the app
may see: a study is not found by the kind of a series that is hidden from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Any, Final

from smartapp.consent.bodysites import SNOMED, place
from smartapp.errors import BadInput
from smartapp.fhir.upstream.documents import part, parts, text
from smartapp.records.resources import moments, studies, values
from smartapp.records.resources.model import FormItem, Item, Moments, PlainItem, ReportItem, StudyItem, Token


class Kind(StrEnum):
    """What the values of a parameter are (R4 search-param-type)."""

    TOKEN = "token"  # noqa: S105 - FHIR's word
    DATE = "date"
    REFERENCE = "reference"


@dataclass(frozen=True)
class Parameter:
    """One search parameter. `of` gives what a resource has: tokens, or a stretch of time.

    A reference is the patient's, always: whose record is read is decided before anything is looked up.
    """

    name: str
    kind: Kind
    of: Callable[[Any], Any] = lambda _item: None
    read: Callable[[str], tuple[str | None, str]] = values.token

    def fits(self, item: Item, asked: Iterable[str], zone: tzinfo) -> bool:
        """Whether the item has one of the values. BadInput for a value that is none."""
        if self.kind is Kind.REFERENCE:
            return True
        said = self.of(item)
        if self.kind is Kind.DATE:
            return any(moments.matches(value, said, zone) for value in asked)
        return any(values.fits(self.read(value), said) for value in asked)


def _id(item: Item) -> tuple[Token, ...]:
    return (("", item.id),)


def _changed(item: Item) -> Moments | None:
    at = updated(item)
    return moments.span(at) if at is not None else None


def updated(item: Item) -> datetime | None:
    """When it changed last; None where we cannot tell."""
    if isinstance(item, StudyItem):
        return item.since()
    if isinstance(item, ReportItem):
        return item.link.updated
    return item.report.link.updated if isinstance(item, FormItem) else item.updated


def _span(moment: datetime | None) -> Moments | None:
    return moments.span(moment) if moment is not None else None


def _codings(codings: Iterable[str]) -> tuple[Token, ...]:
    return tuple((system, code) for system, _, code in (coding.partition("|") for coding in codings))


def _uid(value: str) -> tuple[str | None, str]:
    """A Study Instance UID is known with `urn:oid:` and without."""
    system, code = values.token(value)
    return system, code if not code or code.startswith("urn:oid:") else f"urn:oid:{code}"


def _site(value: str) -> tuple[str | None, str]:
    """DICOM's keyword and SNOMED's code are one place."""
    system, code = values.token(value)
    found = place(code) if code else code
    return (SNOMED, found) if system is None and found.isdecimal() else (system, found)


def _sites(item: StudyItem) -> tuple[Token, ...]:
    return tuple((SNOMED if code.isdecimal() else system, place(code)) for system, code in item.sites)


def _identifiers(item: PlainItem) -> tuple[Token, ...]:
    named = parts(item.resource, "identifier")
    return tuple((text(entry.get("system"), 2048), text(entry.get("value"))) for entry in named)


def _field(name: str, system: str = "") -> Callable[[PlainItem], tuple[Token, ...]]:
    return lambda item: ((system, str(item.resource.get(name, ""))),)


def _consent_status(item: PlainItem) -> tuple[Token, ...]:
    return (("http://hl7.org/fhir/consent-state-codes", text(item.resource.get("status"))),)


def _categories(item: PlainItem) -> tuple[Token, ...]:
    codings = (coding for concept in parts(item.resource, "category") for coding in parts(concept, "coding"))
    return tuple((text(coding.get("system"), 2048), text(coding.get("code"))) for coding in codings)


def consent_told(item: PlainItem) -> dict[str, frozenset[str]]:
    """What the filters of a scope for Consent ask of one, as `system|code`."""
    told = {"status": _consent_status(item), "category": _categories(item)}
    return {name: frozenset(f"{system}|{code}" for system, code in tokens) for name, tokens in told.items()}


def _connection(item: PlainItem) -> tuple[Token, ...]:
    said = part(item.resource, "connectionType")
    return ((text(said.get("system")), text(said.get("code"))),)


_COMMON: Final = (
    Parameter("_id", Kind.TOKEN, _id, lambda value: (None, values.plain(value))),
    Parameter("_lastUpdated", Kind.DATE, _changed),
)
_OF_PATIENT: Final = (Parameter("patient", Kind.REFERENCE), Parameter("subject", Kind.REFERENCE))
_REPORT_STATUS: Final = "http://hl7.org/fhir/diagnostic-report-status"
_STUDY_STATUS: Final = "http://hl7.org/fhir/imagingstudy-status"


def _table(*own: Parameter) -> Mapping[str, Parameter]:
    return {each.name: each for each in (*_COMMON, *own)}


PARAMETERS: Final[Mapping[str, Mapping[str, Parameter]]] = {
    "Patient": _table(Parameter("identifier", Kind.TOKEN, _identifiers)),
    "ImagingStudy": _table(
        *_OF_PATIENT,
        Parameter("identifier", Kind.TOKEN, lambda item: ((studies.DICOM_UID, f"urn:oid:{item.uid}"),), _uid),
        Parameter("modality", Kind.TOKEN, lambda item: tuple((studies.MODALITIES, one) for one in item.modalities)),
        Parameter("bodysite", Kind.TOKEN, _sites, _site),
        Parameter("started", Kind.DATE, lambda item: _span(item.study.started)),
        Parameter("status", Kind.TOKEN, lambda item: ((_STUDY_STATUS, item.study.status),)),
    ),
    "DiagnosticReport": _table(
        *_OF_PATIENT,
        Parameter("status", Kind.TOKEN, lambda item: ((_REPORT_STATUS, item.link.fhir_status),)),
        Parameter("category", Kind.TOKEN, lambda item: _codings(item.link.category_codings)),
        Parameter("code", Kind.TOKEN, lambda item: _codings(item.link.codings)),
        Parameter("date", Kind.DATE, lambda item: _span(item.link.effective)),
        Parameter("issued", Kind.DATE, lambda item: _span(item.link.issued)),
    ),
    "DocumentReference": _table(
        *_OF_PATIENT,
        Parameter("status", Kind.TOKEN, lambda _item: (("http://hl7.org/fhir/document-reference-status", "current"),)),
        Parameter("type", Kind.TOKEN, lambda item: _codings(item.report.link.codings)),
        Parameter("category", Kind.TOKEN, lambda item: _codings(item.report.link.category_codings)),
        Parameter("date", Kind.DATE, lambda item: _span(item.report.link.issued)),
        Parameter("contenttype", Kind.TOKEN, lambda item: (("urn:ietf:bcp:13", item.form.content_type),)),
    ),
    "Endpoint": _table(
        Parameter("status", Kind.TOKEN, _field("status", "http://hl7.org/fhir/endpoint-status")),
        Parameter("connection-type", Kind.TOKEN, _connection),
    ),
    "Organization": _table(),
    "Practitioner": _table(),
    "Consent": _table(
        Parameter("patient", Kind.REFERENCE),
        Parameter("status", Kind.TOKEN, _consent_status),
        Parameter("category", Kind.TOKEN, _categories),
        Parameter("date", Kind.DATE, lambda item: _span(item.updated)),
    ),
    "AuditEvent": _table(
        Parameter("patient", Kind.REFERENCE),
        Parameter("date", Kind.DATE, lambda item: _span(item.updated)),
    ),
}
"""What may be searched, by type."""

INCLUDES: Final[Mapping[str, tuple[str, ...]]] = {
    "ImagingStudy": ("endpoint", "patient", "subject"),
    "DiagnosticReport": ("patient", "subject", "performer", "results-interpreter"),
    "Endpoint": ("organization",),
}
"""What `_include` follows, by type."""

_Key = Callable[[Any], datetime | str | None]
SORTS: Final[Mapping[str, Mapping[str, _Key]]] = {
    "ImagingStudy": {"started": lambda item: item.study.started},
    "DiagnosticReport": {"date": lambda item: item.link.effective, "issued": lambda item: item.link.issued},
    "DocumentReference": {"date": lambda item: item.report.link.issued},
    "AuditEvent": {"date": lambda item: item.updated},
}
"""What `_sort` orders by, by type, besides `_id` and `_lastUpdated`."""


def sort_key(type_: str, name: str) -> _Key | None:
    """What to order by; None for what cannot be."""
    common: Mapping[str, _Key] = {"_id": lambda item: str(item.id), "_lastUpdated": updated}
    return common.get(name) or SORTS.get(type_, {}).get(name)


def check(type_: str, name: str, asked: tuple[str, ...], zone: tzinfo) -> None:
    """BadInput for a value of a parameter that cannot be meant, whether anything is found by it or not."""
    parameter = PARAMETERS[type_][name]
    if parameter.kind is Kind.DATE:
        for value in asked:
            moments.matches(value, None, zone)
    if any("\0" in value or len(value) > 2048 for value in asked):
        raise BadInput("fhir-value")
