"""ImagingStudy (FHIR R4 imagingstudy.html)."""

from datetime import tzinfo

from smartapp.fhir.upstream.documents import Json, coded, count, labels, marks, part, parts, text, words
from smartapp.fhir.upstream.identifiers import accessions, is_uid, study_uid
from smartapp.fhir.upstream.model import BodySite, ImagingStudyFacts, SeriesFacts
from smartapp.fhir.upstream.references import reference_in
from smartapp.fhir.upstream.report import based_on
from smartapp.fhir.upstream.times import read_moment

MAX_SERIES = 2000


def read_imaging_study(resource: Json, base: str, zone: tzinfo) -> ImagingStudyFacts | None:
    """What we use of an ImagingStudy whose subject was checked; None when it names no Study Instance UID."""
    uid, subject = study_uid(parts(resource, "identifier")), reference_in(resource, "subject", base)
    if not uid or subject is None:
        return None
    series = tuple(_series(entry) for entry in list(parts(resource, "series"))[:MAX_SERIES])
    sites = (entry.body_site for entry in series if entry.body_site)
    return ImagingStudyFacts(
        id=text(resource.get("id")),
        uid=uid,
        subject=subject.id,
        status=text(resource.get("status"), 30),
        started=read_moment(resource.get("started"), zone),
        description=text(resource.get("description"), 300) or next(map(words, parts(resource, "procedureCode")), ""),
        modalities=_modalities(resource, series),
        body_sites=tuple(dict.fromkeys(sites)),
        series_count=count(resource.get("numberOfSeries")) or len(series),
        instance_count=count(resource.get("numberOfInstances")) or sum(entry.instance_count for entry in series),
        series=tuple(entry for entry in series if is_uid(entry.uid)),
        accessions=accessions(resource),
        based_on=based_on(resource, base),
        place=text(part(resource, "location").get("display"), 300),
        labels=labels(resource),
        marks=marks(resource),
        coded=coded(resource),
    )


def _modalities(resource: Json, series: tuple[SeriesFacts, ...]) -> tuple[str, ...]:
    """R4 lists Codings; R5 servers, and some of R4, send CodeableConcepts."""
    said = [_code(entry) for entry in parts(resource, "modality")]
    return tuple(dict.fromkeys(filter(None, [*said, *(entry.modality for entry in series)])))


def _code(entry: Json) -> str:
    return text(entry.get("code"), 16) or next((text(c.get("code"), 16) for c in parts(entry, "coding")), "")


def _series(entry: Json) -> SeriesFacts:
    number = entry.get("number")
    return SeriesFacts(
        uid=text(entry.get("uid"), 80).removeprefix("urn:oid:"),
        number=number if isinstance(number, int) and not isinstance(number, bool) else None,
        modality=_code(part(entry, "modality")),
        description=text(entry.get("description"), 300),
        body_site=_site(part(entry, "bodySite")),
        instance_count=count(entry.get("numberOfInstances")),
    )


def _site(entry: Json) -> BodySite | None:
    site = BodySite(_code(entry), words(entry))
    return site if site.code or site.words else None
