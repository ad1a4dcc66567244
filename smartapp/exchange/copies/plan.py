"""What will be in a copy, learnt before its first byte: studies, series, instances, reports, and where each goes."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from smartapp.dicomweb.core.dicomdir import PATIENT_KEYS, SERIES_KEYS, STUDY_KEYS, Keys, encode, instance_keys
from smartapp.dicomweb.core.dicomjson import Row, get, number
from smartapp.exchange.copies import names
from smartapp.exchange.copies.report_pdf import report_pdf
from smartapp.exchange.copies.words import Words
from smartapp.fhir.upstream.model import ReportDocument
from smartapp.identity.model import Principal
from smartapp.records.attributes import Level
from smartapp.records.contents import has_pictures
from smartapp.records.model import SeriesSummary, StudyPage, StudySummary
from smartapp.records.query import parse_query
from smartapp.records.service import Records

_HEADER: Final = 4096


@dataclass(frozen=True)
class PlannedInstance:
    """A file to come: where it goes, its SOP Class UID, what the directory says of it.

    `size` is what it comes to, in bytes, if its pixels are not packed.
    """

    path: str
    sop_class: str
    keys: Keys
    size: int


@dataclass(frozen=True)
class PlannedSeries:
    """A series by its SOP Instance UIDs."""

    uid: str
    folder: str
    title: str
    keys: bytes
    instances: Mapping[str, PlannedInstance]


@dataclass(frozen=True)
class PlannedAttachment:
    """A file of the hospital's that belongs to a report; `index` is its place there."""

    path: str
    index: int
    title: str


@dataclass(frozen=True)
class PlannedReport:
    """A report: our page of it, made already, and the hospital's own files."""

    path: str
    id: str
    title: str
    pdf: bytes = field(repr=False)
    attachments: tuple[PlannedAttachment, ...]


@dataclass(frozen=True)
class PlannedStudy:
    """A study. `patient` and `keys` are for the directory: the elements of its PATIENT and STUDY records.

    `held` says of what is there and may not be shown yet, a sentence each. `problems` are codes of what could not be
    read: with any, there may be more than is here.
    """

    summary: StudySummary
    folder: str
    title: str
    taken: str
    patient: bytes
    keys: bytes
    series: tuple[PlannedSeries, ...]
    reports: tuple[PlannedReport, ...]
    held: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Pictures:
    """The series of a study, the metadata of their first instance, which names patient and study as the files do, and
    how many papers among them are held back.
    """

    series: tuple[PlannedSeries, ...] = ()
    first: Row = field(default_factory=dict)
    held: int = 0


class Planner:
    """Asks `records` for everything, which asks the question each time. Raises what `records` raises."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def study(
        self, principal: Principal, page: StudyPage, folder: str, words: Words, made_at: datetime, request_id: str
    ) -> PlannedStudy:
        """One study in its folder. A series that cannot be listed fails the whole: nothing is left out in silence."""
        summary = page.summary
        pictures = self.pictures(principal, page, folder, words.series, request_id)
        held = [words.withheld(each) for each in page.withheld]
        held += [words.papers(pictures.held)] if pictures.held else []
        date = f"{summary.started:%Y%m%d}" if summary.started else ""
        title, taken = words.study(summary), words.taken(summary)
        return PlannedStudy(
            summary=summary,
            folder=folder,
            title=title,
            taken=taken,
            patient=encode(pictures.first, PATIENT_KEYS),
            keys=encode(pictures.first, STUDY_KEYS, {"StudyDate": date, "StudyTime": "000000", "StudyID": "1"}),
            series=pictures.series,
            reports=_reports(page, folder, words, (title, words.whose, taken, words.made), made_at),
            held=tuple(held),
            problems=page.problems,
        )

    def pictures(
        self,
        principal: Principal,
        page: StudyPage,
        folder: str,
        words: Callable[[SeriesSummary], str],
        request_id: str,
    ) -> Pictures:
        """The files of a study, and how many are not among them because they are held back with a report."""
        study = page.summary
        if not study.images_available:
            return Pictures()
        images = self._records.images
        planned: list[PlannedSeries] = []
        first: Row = {}
        rows_of_study = self._records.searches.series(principal, study.uid, parse_query(Level.SERIES, ()), request_id)
        for at, row in enumerate(rows_of_study, 1):
            uid = get(row, "SeriesInstanceUID")
            rows = json.loads(images.metadata(principal, study.uid, uid, None, request_id))
            first = first or rows[0]
            planned.append(_series(uid, at, f"{folder}/{names.series_folder(at)}", rows, words))
        return Pictures(tuple(planned), first, images.papers_held(principal, study.uid, request_id))


def _series(
    uid: str, at: int, folder: str, rows: Sequence[Row], words: Callable[[SeriesSummary], str]
) -> PlannedSeries:
    modality = get(rows[0], "Modality")
    summary = SeriesSummary(
        uid=uid,
        number=number(rows[0], "SeriesNumber"),
        description=get(rows[0], "SeriesDescription"),
        modality=modality,
        instance_count=len(rows),
        pictures=has_pictures(modality),
    )
    instances = {
        get(row, "SOPInstanceUID"): PlannedInstance(
            f"{folder}/{names.instance_file(place)}", get(row, "SOPClassUID"), instance_keys(row, place), _size(row)
        )
        for place, row in enumerate(rows, 1)
    }
    keys = encode(rows[0], SERIES_KEYS, {"SeriesNumber": str(at), "Modality": "OT"})
    return PlannedSeries(uid, folder, words(summary), keys, instances)


def _size(row: Row) -> int:
    """What the file comes to if its pixels are not packed (PS3.5 §8.1.1), in bytes."""
    pixels = max(0, number(row, "Rows") or 0) * max(0, number(row, "Columns") or 0)
    samples, bits = number(row, "SamplesPerPixel") or 1, number(row, "BitsAllocated") or 8
    return _HEADER + pixels * samples * bits // 8 * max(1, number(row, "NumberOfFrames") or 1)


def _reports(
    page: StudyPage, folder: str, words: Words, head: tuple[str, ...], made_at: datetime
) -> tuple[PlannedReport, ...]:
    return tuple(
        PlannedReport(
            path=f"{folder}/{names.report_file(at)}",
            id=document.id,
            title=document.title or words.report.report,
            pdf=report_pdf(document, words.report, head, made_at),
            attachments=() if words.report.withdrawn(document.status) else _attachments(document, folder, at),
        )
        for at, document in enumerate(page.reports, 1)
    )


def _attachments(document: ReportDocument, folder: str, at: int) -> tuple[PlannedAttachment, ...]:
    return tuple(
        PlannedAttachment(f"{folder}/{names.document_file(at, place, each.content_type)}", each.index, each.title)
        for place, each in enumerate(document.attachments, 1)
    )
