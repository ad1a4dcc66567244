"""The study index as bytes to be sealed, and back. Pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from smartapp.dicomweb.upstream.model import PatientIds
from smartapp.records.model import IndexedStudy, ReportLink, StudyIndex

VERSION = 4
"""Of the layout. Another one's bytes are not read: the index is fetched anew."""


def encode(index: StudyIndex) -> bytes:
    """The index as JSON."""
    document = {"version": VERSION, **asdict(index)}
    return json.dumps(document, default=_plain, separators=(",", ":")).encode()


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
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
    )


def _study(fields: Mapping[str, Any]) -> IndexedStudy:
    started = fields["started"]
    return IndexedStudy(
        **{
            **fields,
            "started": datetime.fromisoformat(started) if started else None,
            "modalities": tuple(fields["modalities"]),
            "body_parts": tuple(fields["body_parts"]),
            "body_sites": tuple(fields["body_sites"]),
            "labels": tuple(fields["labels"]),
            "reports": tuple(_report(report) for report in fields["reports"]),
        }
    )


def _report(fields: Mapping[str, Any]) -> ReportLink:
    issued = fields["issued"]
    return ReportLink(
        **{
            **fields,
            "issued": datetime.fromisoformat(issued) if issued else None,
            "categories": tuple(fields["categories"]),
            "marks": tuple(fields["marks"]),
        }
    )
