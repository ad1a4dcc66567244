"""The study index as bytes to be sealed, and back. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from smartapp.consent.directives.model import Filed, Named
from smartapp.consent.facts import SeriesFacts
from smartapp.dicomweb.upstream.model import PatientIds
from smartapp.fhir.upstream.model import ReportAttachment
from smartapp.records.model import IndexedStudy, ReportLink, StudyIndex

_REPORT_LISTS = ("categories", "marks", "category_codings", "codings", "performers")

VERSION = 8
"""Of the layout. Another one's bytes are not read: the index is fetched anew."""


def encode(index: StudyIndex) -> bytes:
    """The index as JSON."""
    document = {"version": VERSION, **asdict(_bare(index))}
    return json.dumps(document, default=_plain, separators=(",", ":")).encode()


def _bare(index: StudyIndex) -> StudyIndex:
    """Without what is filled in when it is used."""
    studies = tuple(replace(study, held=(), pictures=None, on_file=None) for study in index.studies)
    return replace(index, studies=studies, on_file=None)


def _plain(value: Any) -> str | list[Any]:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(type(value).__name__)


def decode(data: bytes) -> StudyIndex | None:
    """The index that `encode` was given; None if it was written in another layout. Moments keep their offset."""
    document = json.loads(data)
    if document["version"] != VERSION:
        return None
    return StudyIndex(
        ids=PatientIds(tuple(document["ids"]["values"]), document["ids"]["issuer"]),
        studies=tuple(_study(study) for study in document["studies"]),
        problems=tuple(document["problems"]),
        fetched_at=datetime.fromisoformat(document["fetched_at"]),
        consents=tuple(map(_filed, document["consents"])) if document["consents"] is not None else None,
        consents_unread=document["consents_unread"],
    )


def _filed(fields: Mapping[str, Any]) -> Filed:
    return Filed(fields["resource"], {written: _named(**one) for written, one in fields["named"].items()})


def _named(type: str, names: Iterable[str], identifiers: Iterable[Iterable[str]]) -> Named:  # noqa: A002 -- its field
    return Named(type, tuple(names), tuple((system, value) for system, value in identifiers))


def _study(fields: Mapping[str, Any]) -> IndexedStudy:
    return IndexedStudy(
        **{
            **fields,
            "started": _moment(fields["started"]),
            "updated": _moment(fields["updated"]),
            "modalities": tuple(fields["modalities"]),
            "body_parts": tuple(fields["body_parts"]),
            "body_sites": tuple(fields["body_sites"]),
            "labels": tuple(fields["labels"]),
            "held": (),
            "resources": tuple(fields["resources"]),
            "coded": tuple(fields["coded"]) if fields["coded"] is not None else None,
            "told_series": tuple(
                SeriesFacts(each["uid"], each["modality"], frozenset(each["body_sites"]))
                for each in fields["told_series"]
            ),
            "reports": tuple(_report(report) for report in fields["reports"]),
        }
    )


def _report(fields: Mapping[str, Any]) -> ReportLink:
    return ReportLink(
        **{
            **fields,
            **{name: _moment(fields[name]) for name in ("issued", "effective", "updated")},
            **{name: tuple(fields[name]) for name in _REPORT_LISTS},
            "coded": tuple(fields["coded"]) if fields["coded"] is not None else None,
            "forms": tuple(ReportAttachment(**form) for form in fields["forms"]),
        }
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
