"""Rows of QIDO and metadata answers: read, and refused when they are about somebody or something else. Pure."""

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from smartapp.dicomweb.core.dicomjson import Row, get
from smartapp.dicomweb.core.uids import is_uid
from smartapp.dicomweb.upstream.model import PatientIds
from smartapp.errors import UpstreamMalformed, UpstreamMismatch


def as_rows(answer: Any) -> list[Row]:
    """The data sets of a DICOM JSON answer; UpstreamMalformed unless it is a list of objects (PS3.18 §F.2)."""
    if not isinstance(answer, list) or not all(isinstance(row, Mapping) for row in answer):
        raise UpstreamMalformed("pacs-json")
    return answer


def uid(row: Row, keyword: str) -> str:
    """The UID of an element; UpstreamMalformed if there is none."""
    found = get(row, keyword)
    if not is_uid(found):
        raise UpstreamMalformed("pacs-uid")
    return found


def is_of(ids: PatientIds, row: Row) -> bool:
    """Whether the row names the patient."""
    return ids.holds(get(row, "PatientID"), get(row, "IssuerOfPatientID"))


def series_rows(rows: Iterable[Row], ids: PatientIds, study: str) -> Iterator[Row]:
    """The rows of a series search. What a row says of patient and study must be right; many archives leave both out."""
    seen: set[str] = set()
    for row in rows:
        named = get(row, "PatientID")
        if (named and not is_of(ids, row)) or get(row, "StudyInstanceUID") not in {"", study}:
            raise UpstreamMismatch("pacs-series-row")
        series = uid(row, "SeriesInstanceUID")
        if series not in seen:
            seen.add(series)
            yield row


def gather_series(
    found: dict[str, dict[str, Row]], rows: Iterable[Row], ids: PatientIds, patient_id: str, studies: Container[str]
) -> None:
    """Adds the rows of a search over `patient_id` to `found`, by study and series.

    What is of other studies is left out, and what does not say whose it is or of which study. UpstreamMismatch for one
    of `studies` that is said to be somebody else's; UpstreamMalformed from an archive that gives what was not asked.
    """
    for row in rows:
        study, named = get(row, "StudyInstanceUID"), get(row, "PatientID")
        if study in studies and named and not is_of(ids, row):
            raise UpstreamMismatch("pacs-series-row")
        if named not in {"", patient_id}:
            raise UpstreamMalformed("pacs-unfiltered")
        if study in studies and named:
            found.setdefault(study, {}).setdefault(uid(row, "SeriesInstanceUID"), row)


def instance_rows(rows: Iterable[Row], ids: PatientIds, study: str, series: str) -> Iterator[Row]:
    """The rows of a series' metadata: each is a whole header, so each must name patient, study and series."""
    seen: set[str] = set()
    for row in rows:
        if not is_of(ids, row) or uid(row, "StudyInstanceUID") != study or uid(row, "SeriesInstanceUID") != series:
            raise UpstreamMismatch("pacs-metadata-row")
        sop = uid(row, "SOPInstanceUID")
        if sop not in seen:
            seen.add(sop)
            yield row
