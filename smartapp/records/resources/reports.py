"""DiagnosticReport (FHIR R4 diagnosticreport.html) as it is handed on, and its files as DocumentReference. Pure."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from smartapp.fhir.upstream.documents import Json, parts, text
from smartapp.fhir.upstream.references import read_reference
from smartapp.records.resources.model import FormItem, ReportItem
from smartapp.records.resources.moments import instant
from smartapp.records.resources.shapes import (
    CODE,
    CODING,
    CONCEPT,
    DATE_TIME,
    IDENTIFIER,
    INSTANT,
    PERIOD,
    keep,
    many,
    shape,
    words,
)
from smartapp.records.resources.xhtml import narrative

_KEPT: Final = {
    "identifier": many(IDENTIFIER),
    "category": many(CONCEPT),
    "code": CONCEPT,
    "effectiveDateTime": DATE_TIME,
    "effectivePeriod": PERIOD,
    "issued": INSTANT,
    "conclusion": words,
    "conclusionCode": many(CONCEPT),
}
_FORM: Final = {"contentType": CODE, "language": CODE, "title": words, "creation": DATE_TIME}
_META: Final = shape(security=many(CODING))
_UNKNOWN: Final = {
    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
}

FormId = Callable[[int], str]
"""The id under which a file of the report is read."""


def diagnostic_report(
    raw: Json, item: ReportItem, patient_id: str, base: str, studies: Sequence[str], form_id: FormId
) -> Json:
    """The report, of the EHR's `raw` at its own `base`. `studies` are the ids of our ImagingStudies it belongs to.

    References lead to what is here or nowhere: orders, specimens and single observations are not, and files are to be
    read as Binary, one by one.
    """
    kept = keep(raw, _KEPT)
    if "effectiveDateTime" in kept:
        kept.pop("effectivePeriod", None)
    people = {name: list(_people(raw, name, base)) for name in ("performer", "resultsInterpreter")}
    resource: Json = {
        "resourceType": "DiagnosticReport",
        "id": item.id,
        "meta": _META(raw.get("meta")),
        "text": narrative(raw),
        **kept,
        "status": item.link.fhir_status,
        "code": kept.get("code", _UNKNOWN),
        "subject": {"reference": f"Patient/{patient_id}"},
        **people,
        "imagingStudy": [{"reference": f"ImagingStudy/{study}"} for study in studies],
        "presentedForm": list(_forms(raw, item, form_id)),
    }
    return {name: value for name, value in resource.items() if value not in (None, [], {})}


def _people(raw: Json, name: str, base: str) -> Iterator[Json]:
    """Who read it, by name, and by reference where they can be read here."""
    for entry in parts(raw, name):
        reference, display = read_reference(text(entry.get("reference")), base), words(entry.get("display"))
        here = reference is not None and reference.type in {"Practitioner", "Organization"}
        told = {"reference": str(reference) if here else None, "display": display}
        if found := {key: value for key, value in told.items() if value}:
            yield found


def _forms(raw: Json, item: ReportItem, form_id: FormId) -> Iterator[Json]:
    forms = list(parts(raw, "presentedForm"))
    for form in item.link.forms:
        told = keep(forms[form.index], _FORM) if form.index < len(forms) else {}
        yield {**told, "url": f"Binary/{form_id(form.index)}"}


def document_reference(item: FormItem, patient_id: str) -> Json:
    """A file of a report, for apps that look for documents. Nothing is asked of the EHR for it."""
    link = item.report.link
    resource: Json = {
        "resourceType": "DocumentReference",
        "id": item.id,
        "status": "current",
        "docStatus": {"final": "final", "preliminary": "preliminary", "amended": "amended"}.get(link.status),
        "type": _named(link.codings, link.title),
        "category": [{"coding": [_concept(coding)]} for coding in link.category_codings],
        "subject": {"reference": f"Patient/{patient_id}"},
        "date": instant(link.issued) if link.issued else None,
        "content": [
            {
                "attachment": {
                    "contentType": item.form.content_type,
                    "url": f"Binary/{item.id}",
                    **({"title": item.form.title} if item.form.title else {}),
                }
            }
        ],
        "context": {"related": [{"reference": f"DiagnosticReport/{link.id}"}]},
    }
    return {name: value for name, value in resource.items() if value not in (None, [])}


def _named(codings: Sequence[str], title: str) -> Json | None:
    told = {"coding": [_concept(coding) for coding in codings], "text": title}
    return {name: value for name, value in told.items() if value} or None


def _concept(coding: str) -> Json:
    system, _, code = coding.partition("|")
    return {"system": system, "code": code} if system else {"code": code}
