"""What the portal shows and the index keeps. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from smartapp.consent.directives.model import Filed
from smartapp.consent.directives.onfile import OnFile
from smartapp.consent.facts import ReportKnown, SeriesFacts, StudyFacts
from smartapp.dicomweb.core.dicomjson import get
from smartapp.dicomweb.upstream.model import PatientIds
from smartapp.fhir.upstream.model import ReportAttachment, ReportDocument
from smartapp.identity.model import PatientKey
from smartapp.records.showable import Pictured

ReportStatus = Literal["final", "amended", "preliminary", "none", "withheld"]
"""`withheld`: there are reports, and none of them is shown yet."""


@dataclass(frozen=True)
class ReportLink:
    """A report that belongs to a study: enough to say that it is there."""

    id: str
    status: ReportStatus
    title: str = ""
    issued: datetime | None = None
    """When it was issued, or else when the examination was; aware."""
    categories: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    """Its labels and tags, and those of the EHR's ImagingStudy (`system|code`)."""
    fhir_status: str = ""
    """As the EHR has it (`final`, `corrected`, …)."""
    effective: datetime | None = None
    category_codings: tuple[str, ...] = ()
    codings: tuple[str, ...] = ()
    """Its code, as `system|code`; `category_codings` likewise."""
    performers: tuple[str, ...] = ()
    """Who read it and for whom, as relative references at the EHR."""
    forms: tuple[ReportAttachment, ...] = ()
    names_others: bool = False
    """It names another patient besides: nothing of it is handed on (threat A18)."""
    updated: datetime | None = None
    """When the EHR says that it changed last, else when we first saw it as it is (`index` fills that in); aware."""
    coded: tuple[str, ...] | None = None
    """Every code in it, as `system|code`; None: not known."""

    @cached_property
    def known(self) -> ReportKnown:
        """The report as an app's reach, and the Consents on file, judge it."""
        day = self.effective or self.issued
        return ReportKnown(
            id=self.id,
            categories=frozenset(self.category_codings),
            code=frozenset(self.codings),
            date=day.date() if day is not None else None,
            status=self.fhir_status,
            coded=frozenset(self.coded) if self.coded is not None else None,
        )


@dataclass(frozen=True)
class IndexedStudy:
    """One study as EHR and PACS together tell it. `row` is the PACS's QIDO row, empty if the PACS has no such study.

    `owned`: a source that we believe says it is the patient's. `contradicted`: one says it is somebody else's.
    `labels`: the EHR's security labels of the study and its reports (`system|code`).
    """

    uid: str
    owned: bool
    contradicted: bool
    started: datetime | None
    description: str
    modalities: tuple[str, ...]
    body_parts: tuple[str, ...]
    body_sites: tuple[str, ...]
    place: str
    series_count: int
    instance_count: int
    reports: tuple[ReportLink, ...]
    row: Mapping[str, Mapping[str, Any]]
    labels: tuple[str, ...]
    updated: datetime | None = None
    """When we first saw it as it is (`index` fills that in); UTC."""
    told_series: tuple[SeriesFacts, ...] = ()
    """Its series as the EHR tells them; the PACS decides which there are."""
    held: tuple[Mapping[str, Mapping[str, Any]], ...] = ()
    """The PACS's rows of its series, where they were asked for (`holdings`). Never kept with the index."""
    pictures: Mapping[str, Pictured] | None = None
    """Of those of its series that are reached and hold pictures, what may be shown de-identified, by their UIDs, where
    that was asked (`pictures`); None: not known of all. Never kept with the index.
    """
    resources: tuple[str, ...] = ()
    """The EHR's ImagingStudies of it, as relative references."""
    coded: tuple[str, ...] | None = None
    """Every code in those, as `system|code`; None where there are none, or too many."""
    on_file: OnFile | None = None
    """The Consents of its patient at the moment; None where the hospital is not asked. Never kept with the index."""

    @property
    def status(self) -> str:
        """ImagingStudy.status as we show it: there are pictures to be had, or only word of a study."""
        return "available" if self.images_available else "registered"

    @property
    def images_available(self) -> bool:
        """Whether the PACS has the study, under this patient."""
        return bool(self.row) and not self.contradicted

    @property
    def stamp(self) -> str:
        """Changes when the study has other contents: what was kept of the earlier ones is no longer used."""
        return f"{self.series_count}.{self.instance_count}"

    def facts(self, patient: PatientKey) -> StudyFacts:
        """The facts that the policy judges by. The date is the hospital's."""
        told = self.told_series if len(self.told_series) == self.series_count else ()
        return StudyFacts(
            uid=self.uid,
            owners=frozenset({patient} if self.owned else ()),
            started=self.started.date() if self.started else None,
            modalities=frozenset(self.modalities),
            body_sites=frozenset(self.body_sites),
            contradicted=self.contradicted,
            labels=frozenset(self.labels),
            series=tuple(map(self.series_of, self.held)) or told,
            status=self.status,
            resources=frozenset(self.resources),
            coded=frozenset(self.coded) if self.coded is not None else None,
            reports=tuple(report.known for report in self.reports),
            on_file=self.on_file,
        )

    def series_facts(self, uid: str, modality: str, body_part: str) -> SeriesFacts:
        """A series of the PACS's as the reach of an app judges it: `body_part` is what the PACS calls the place, and
        what the EHR calls it counts as well. Where the two name different places, neither is believed.
        """
        told = next((series.body_sites for series in self.told_series if series.uid == uid), frozenset())
        return SeriesFacts(uid, modality, told | ({body_part} if body_part else frozenset()))

    def series_of(self, row: Mapping[str, Mapping[str, Any]]) -> SeriesFacts:
        """A series by the PACS's row of it."""
        return self.series_facts(*(get(row, name) for name in ("SeriesInstanceUID", "Modality", "BodyPartExamined")))


@dataclass(frozen=True)
class StudyIndex:
    """All that is known of one patient's studies at `fetched_at` (UTC), newest first. `problems` are stable codes."""

    ids: PatientIds
    studies: tuple[IndexedStudy, ...]
    problems: tuple[str, ...]
    fetched_at: datetime
    consents: tuple[Filed, ...] | None = None
    """The patient's active Consents; None where the hospital is not asked for any."""
    consents_unread: bool = False
    """They could not all be read: then apps get nothing."""
    on_file: OnFile | None = None
    """As the studies have it."""

    def find(self, uid: str) -> IndexedStudy | None:
        """The study with this Study Instance UID, if it is one of the patient's."""
        return next((study for study in self.studies if study.uid == uid), None)


@dataclass(frozen=True)
class StudySummary:
    """A study in the list. `started` is aware, at the hospital's clock; `body_parts` are words; `place` is where."""

    uid: str
    started: datetime | None
    description: str
    modalities: tuple[str, ...]
    body_parts: tuple[str, ...]
    place: str
    series_count: int
    instance_count: int
    images_available: bool
    report_status: ReportStatus
    report_ids: tuple[str, ...]
    report_titles: tuple[str, ...] = ()
    body_sites: tuple[str, ...] = ()
    """The codes that `StudyFacts` judges by; `body_parts` are the words."""
    labels: tuple[str, ...] = ()
    """Security labels (`system|code`): apps are let near such a study only when it is ticked by itself."""


@dataclass(frozen=True)
class StudyList:
    """The list, newest first. `unmatched` studies are withheld, since a source says that they are somebody else's.

    `problems`: codes of what could not be read (`ehr-stale`, `pacs-missing`, …); with any, the list may lack studies.
    """

    studies: tuple[StudySummary, ...]
    unmatched: int
    problems: tuple[str, ...]
    fetched_at: datetime
    foreign: tuple[str, ...] = ()
    """The Study Instance UIDs of those that are withheld: to ask whether staff were told, never to be shown."""


@dataclass(frozen=True)
class SeriesSummary:
    """A series in the study's page. `pictures`: whether it holds anything that can be looked at."""

    uid: str
    number: int | None
    description: str
    modality: str
    instance_count: int
    pictures: bool


@dataclass(frozen=True)
class Withheld:
    """A report that is there and not shown yet, and why; `until` (UTC) where the day is known."""

    report_id: str
    why: Literal["blocked", "preliminary", "delayed"]
    until: datetime | None = None


@dataclass(frozen=True)
class StudyPage:
    """A study with its series in their order, and its reports, newest first; `withheld` are those not shown yet."""

    summary: StudySummary
    series: tuple[SeriesSummary, ...]
    reports: tuple[ReportDocument, ...]
    problems: tuple[str, ...]
    withheld: tuple[Withheld, ...] = ()
    again: int | None = None
    """In seconds: the PACS asked to be asked again after so long, since it is fetching the pictures."""


@dataclass(frozen=True)
class InstanceSummary:
    """An instance in viewing order. `frames` is at least 1 for what can be looked at, 0 for other objects.

    `paper`: `sr` for a structured report, `pdf` for an encapsulated one, else empty.
    """

    sop: str
    number: int | None
    frames: int
    paper: Literal["sr", "pdf", ""] = ""


@dataclass(frozen=True)
class Attachment:
    """A file that came with a report, to be downloaded and never shown in our pages."""

    content_type: str
    filename: str
    body: bytes
