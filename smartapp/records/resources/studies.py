"""ImagingStudy (FHIR R4 imagingstudy.html), as we make it: the EHR's own is not needed for it. Pure."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from smartapp.consent.bodysites import SNOMED, places
from smartapp.consent.facts import SeriesFacts
from smartapp.dicomweb.core.dicomjson import Row, get, number
from smartapp.fhir.upstream.documents import Json
from smartapp.records.resources.ids import ENDPOINT
from smartapp.records.resources.model import StudyItem, Token
from smartapp.records.resources.moments import written

DICOM_UID: Final = "urn:dicom:uid"
MODALITIES: Final = "http://dicom.nema.org/resources/ontology/DCM"


def imaging_study(
    item: StudyItem,
    series: Sequence[tuple[Row, SeriesFacts]],
    patient_id: str,
    shown: Callable[[str], str],
    *,
    described: bool,
) -> Json:
    """The study with the series that the app may see, and counts of those alone.

    `shown` maps UIDs. Words that people typed are left out unless `described`: a grant of de-identified images shows
    none (PS3.15 Table E.1-1 removes Study and Series Description).
    """
    listed = [_series(row, facts, shown, described=described) for row, facts in series]
    modalities = tuple(dict.fromkeys(filter(None, (facts.modality for _, facts in series)))) or item.modalities
    resource: Json = {
        "resourceType": "ImagingStudy",
        "id": item.id,
        "identifier": [{"system": DICOM_UID, "value": f"urn:oid:{item.uid}"}],
        "status": item.study.status,
        "modality": [{"system": MODALITIES, "code": modality} for modality in modalities],
        "subject": {"reference": f"Patient/{patient_id}"},
        "started": written(item.study.started) if item.study.started else None,
        "endpoint": [{"reference": f"Endpoint/{ENDPOINT}"}],
        "numberOfSeries": len(listed),
        "numberOfInstances": sum(each["numberOfInstances"] for each in listed),
        "description": item.study.description if described else None,
        "series": listed,
    }
    return {name: value for name, value in resource.items() if value not in (None, "", [])}


def _series(row: Row, facts: SeriesFacts, shown: Callable[[str], str], *, described: bool) -> Json:
    at, site = number(row, "SeriesNumber"), body_site(facts)
    told: dict[str, Any] = {
        "uid": shown(get(row, "SeriesInstanceUID")),
        "number": at if at is not None and 0 <= at < 2**31 else None,
        "modality": {"system": MODALITIES, "code": facts.modality or "OT"},
        "description": get(row, "SeriesDescription") if described else None,
        "numberOfInstances": max(number(row, "NumberOfSeriesRelatedInstances") or 0, 0),
        "bodySite": {"system": site[0], "code": site[1]} if site is not None else None,
    }
    return {name: value for name, value in told.items() if value not in (None, "")}


def body_site(facts: SeriesFacts) -> Token | None:
    """Where a series was taken, as a coding; None where that is not known, or EHR and PACS contradict each other."""
    here = places(facts.body_sites)
    code = next(iter(here)) if len(here) == 1 else ""
    return (SNOMED, code) if code.isdecimal() else None
