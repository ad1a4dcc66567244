"""Rows of QIDO and metadata answers: read, and refused when they are about somebody or something else. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from smartapp.dicomweb.core.uids import is_uid
from smartapp.dicomweb.upstream.model import PatientIds, Row
from smartapp.errors import UpstreamMalformed, UpstreamMismatch

PATIENT_ID: Final = "00100020"
ISSUER: Final = "00100021"
STUDY: Final = "0020000D"
SERIES: Final = "0020000E"
SOP: Final = "00080018"


def text(row: Row, tag: str) -> str:
    """The first value under a tag without its padding, or an empty text."""
    element = row.get(tag)
    held = element.get("Value") if isinstance(element, Mapping) else None
    value = held[0] if isinstance(held, list) and held else None
    return value.strip(" \0") if isinstance(value, str) else ""


def as_rows(answer: Any) -> list[Row]:
    """The data sets of a DICOM JSON answer; UpstreamMalformed unless it is a list of objects (PS3.18 §F.2)."""
    if not isinstance(answer, list) or not all(isinstance(row, Mapping) for row in answer):
        raise UpstreamMalformed("pacs-json")
    return answer


def uid(row: Row, tag: str) -> str:
    """The UID under a tag; UpstreamMalformed if there is none."""
    found = text(row, tag)
    if not is_uid(found):
        raise UpstreamMalformed("pacs-uid")
    return found


def is_of(ids: PatientIds, row: Row) -> bool:
    """Whether the row names the patient."""
    return ids.holds(text(row, PATIENT_ID), text(row, ISSUER))


def series_rows(rows: Iterable[Row], ids: PatientIds, study: str) -> Iterator[Row]:
    """The rows of a series search. What a row says of patient and study must be right; many archives leave both out."""
    seen: set[str] = set()
    for row in rows:
        named = text(row, PATIENT_ID)
        if (named and not is_of(ids, row)) or text(row, STUDY) not in {"", study}:
            raise UpstreamMismatch("pacs-series-row")
        series = uid(row, SERIES)
        if series not in seen:
            seen.add(series)
            yield row


def instance_rows(rows: Iterable[Row], ids: PatientIds, study: str, series: str) -> Iterator[Row]:
    """The rows of a series' metadata: each is a whole header, so each must name patient, study and series."""
    seen: set[str] = set()
    for row in rows:
        if not is_of(ids, row) or uid(row, STUDY) != study or uid(row, SERIES) != series:
            raise UpstreamMismatch("pacs-metadata-row")
        sop = uid(row, SOP)
        if sop not in seen:
            seen.add(sop)
            yield row
