"""DiagnosticReport, as the index needs it (FHIR R4 diagnosticreport.html)."""

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo

from smartapp.fhir.upstream import attachments
from smartapp.fhir.upstream.documents import Json, coded, labels, marks, part, parts, text, words
from smartapp.fhir.upstream.identifiers import accessions, study_uid
from smartapp.fhir.upstream.model import ReportFacts
from smartapp.fhir.upstream.references import Reference, names_others, read_reference, reference_in
from smartapp.fhir.upstream.times import read_moment

IMAGING_CATEGORIES = frozenset(
    {"RAD", "RUS", "RX", "CT", "CUS", "EC", "IMG", "NMR", "NMS", "OUS", "VUS", "XRC", "LP29684-5", "LP29708-2"}
    | {"18748-4", "imaging", "363679005"}
)
"""Categories of reports about pictures: v2-0074, LOINC parts of radiology and cardiology, SNOMED CT imaging."""


def read_report(resource: Json, base: str, zone: tzinfo) -> ReportFacts | None:
    """What pairs a report with a study; its subject was checked. None when nothing in it could: a laboratory's."""
    subject = reference_in(resource, "subject", base)
    if subject is None:
        return None
    named = [_named(entry, base) for entry in parts(resource, "imagingStudy")]
    facts = ReportFacts(
        id=text(resource.get("id")),
        subject=subject.id,
        status=text(resource.get("status"), 30),
        issued=read_moment(resource.get("issued"), zone),
        effective=effective(resource, zone),
        title=words(part(resource, "code")),
        imaging=bool(named) or bool(_categories(resource) & IMAGING_CATEGORIES),
        imaging_study_refs=tuple(ref.id for ref, _ in named if ref and ref.type == "ImagingStudy"),
        study_uids=tuple(uid for _, uid in named if uid),
        based_on=based_on(resource, base),
        accessions=accessions(resource),
        labels=labels(resource),
        marks=marks(resource),
        coded=coded(resource),
        categories=_categories(resource),
        category_codings=tuple(_codings(parts(resource, "category"))),
        codings=tuple(_codings([part(resource, "code")])),
        performers=performers(resource, base),
        forms=attachments.offered(resource, base),
        updated=read_moment(part(resource, "meta").get("lastUpdated"), zone),
        names_others=names_others(resource, subject.id, base),
    )
    return facts if facts.imaging or facts.based_on or facts.accessions else None


def based_on(resource: Json, base: str) -> tuple[str, ...]:
    """The orders it names, as relative references."""
    found = (read_reference(text(entry.get("reference")), base) for entry in parts(resource, "basedOn"))
    return tuple(str(ref) for ref in found if ref)


def performers(resource: Json, base: str) -> tuple[str, ...]:
    """Who read it and for whom: Practitioners and Organizations of this EHR, as relative references."""
    people = [*parts(resource, "performer"), *parts(resource, "resultsInterpreter")]
    found = (read_reference(text(entry.get("reference")), base) for entry in people)
    return tuple(dict.fromkeys(str(ref) for ref in found if ref and ref.type in {"Practitioner", "Organization"}))


def _codings(concepts: Iterable[Json]) -> Iterator[str]:
    for concept in concepts:
        for coding in parts(concept, "coding"):
            if code := text(coding.get("code"), 200):
                yield f"{text(coding.get('system'), 300)}|{code}"


def effective(resource: Json, zone: tzinfo) -> datetime | None:
    """When the examination took place."""
    period = part(resource, "effectivePeriod")
    return read_moment(resource.get("effectiveDateTime"), zone) or read_moment(period.get("start"), zone)


def _named(entry: Json, base: str) -> tuple[Reference | None, str]:
    return read_reference(text(entry.get("reference")), base), study_uid([part(entry, "identifier")])


def _categories(resource: Json) -> frozenset[str]:
    concepts = [*parts(resource, "category"), part(resource, "code")]
    return frozenset(text(coding.get("code")) for concept in concepts for coding in parts(concept, "coding")) - {""}
