"""QIDO-RS answers (PS3.18 §10.6): which rows, and which attributes of each."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pydicom.dataset import Dataset

from smartapp.sandbox.pacs.embedded.archive import Archive, Series, Study
from smartapp.sandbox.pacs.embedded.matching import (
    INSTANCE_KEYS,
    SERIES_KEYS,
    STUDY_KEYS,
    BadQuery,
    filters,
    keyword,
    matches,
)

Arguments = Sequence[tuple[str, str]]
Rows = list[dict[str, Any]]

_STUDY_FIELDS = (*STUDY_KEYS, "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances")
_SERIES_FIELDS = (
    *SERIES_KEYS,
    "StudyInstanceUID",
    "PerformedProcedureStepStartDate",
    "NumberOfSeriesRelatedInstances",
)
_INSTANCE_FIELDS = (
    *INSTANCE_KEYS,
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Rows",
    "Columns",
    "BitsAllocated",
    "NumberOfFrames",
)
_TOO_MANY = 1000


@dataclass(frozen=True)
class Asked:
    """What a query string says apart from the filters."""

    fields: frozenset[str]
    everything: bool
    offset: int
    limit: int


@dataclass(frozen=True)
class _Row:
    """One candidate: its address, and its headers with the nearest first."""

    url: str
    headers: tuple[Dataset, ...]


def search_studies(archive: Archive, arguments: Arguments, base: str) -> Rows:
    """The studies that match; `base` is the address of the DICOMweb root. Raises BadQuery."""
    found = (_Row(f"{base}/studies/{study.uid}", _of_study(study)) for study in archive.studies())
    return _rows(found, arguments, STUDY_KEYS, _STUDY_FIELDS)


def search_series(study: Study, arguments: Arguments, base: str) -> Rows:
    """The series of a study that match. Raises BadQuery."""
    return _rows(_series_of(study, base), arguments, (*STUDY_KEYS, *SERIES_KEYS), _SERIES_FIELDS)


def search_all_series(archive: Archive, arguments: Arguments, base: str) -> Rows:
    """The series of all studies that match, each with its study's attributes (PS3.18 §10.6.3.3). Raises BadQuery."""
    found = (row for study in archive.studies() for row in _series_of(study, base))
    return _rows(found, arguments, (*STUDY_KEYS, *SERIES_KEYS), (*_STUDY_FIELDS, *_SERIES_FIELDS))


def search_instances(study: Study, series: Sequence[Series], arguments: Arguments, base: str) -> Rows:
    """The instances of some series of a study that match. Raises BadQuery."""
    above = _of_study(study)
    found = (
        _Row(f"{_series_url(base, study, each)}/instances/{instance.uid}", (instance.header, *above))
        for each in series
        for instance in each.instances
    )
    return _rows(found, arguments, (*STUDY_KEYS, *SERIES_KEYS, *INSTANCE_KEYS), _INSTANCE_FIELDS)


def _series_of(study: Study, base: str) -> Iterator[_Row]:
    above = _of_study(study)
    return (_Row(_series_url(base, study, series), (*_of_series(series), *above)) for series in study.series)


def _series_url(base: str, study: Study, series: Series) -> str:
    return f"{base}/studies/{study.uid}/series/{series.uid}"


def _of_study(study: Study) -> tuple[Dataset, ...]:
    counted = Dataset()
    counted.ModalitiesInStudy = sorted({str(series.header.Modality) for series in study.series})
    counted.NumberOfStudyRelatedSeries = len(study.series)
    counted.NumberOfStudyRelatedInstances = len(study.instances)
    return counted, study.header


def _of_series(series: Series) -> tuple[Dataset, ...]:
    counted = Dataset()
    counted.NumberOfSeriesRelatedInstances = len(series.instances)
    return counted, series.header


def _asked(arguments: Arguments) -> Asked:
    names = [name for key, value in arguments if key == "includefield" for name in value.split(",")]
    return Asked(
        fields=frozenset(keyword(name) for name in names if name != "all"),
        everything="all" in names,
        offset=_count(arguments, "offset", 0),
        limit=_count(arguments, "limit", _TOO_MANY),
    )


def _count(arguments: Arguments, name: str, default: int) -> int:
    given = [value for key, value in arguments if key == name]
    if not given:
        return default
    if len(given) > 1 or not given[0].isascii() or not given[0].isdigit():
        raise BadQuery(f"{name} must be one whole number")
    return int(given[0])


def _rows(found: Iterable[_Row], arguments: Arguments, keys: Sequence[str], fields: Sequence[str]) -> Rows:
    wanted, asked = filters(arguments, keys), _asked(arguments)
    matching = (row for row in found if matches(row.headers, wanted))
    page = islice(matching, asked.offset, asked.offset + asked.limit)
    return [_answer(row, None if asked.everything else asked.fields.union(fields)) for row in page]


def _answer(row: _Row, fields: frozenset[str] | None) -> dict[str, Any]:
    if fields is None:
        fields = frozenset(element.keyword for header in row.headers for element in header)
    answer = Dataset()
    for name in fields:
        source = next((header for header in row.headers if name in header), None)
        if source is not None:
            answer.add(source[name])
    answer.SpecificCharacterSet = "ISO_IR 192"
    answer.InstanceAvailability = "ONLINE"
    answer.RetrieveURL = row.url
    in_json: dict[str, Any] = answer.to_json_dict()
    return in_json
