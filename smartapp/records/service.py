"""The use-cases that read. What the portal shows is here; what viewers fetch is in `images`."""

from collections.abc import Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

from smartapp.access.service import Access
from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.consent.model import Action
from smartapp.consent.reach import Reach
from smartapp.dicomweb.core.cache import InstanceCache
from smartapp.dicomweb.core.dicomjson import Row, get, number
from smartapp.dicomweb.core.render import RenderPool
from smartapp.dicomweb.core.sr import SrDocument
from smartapp.dicomweb.core.uids import parse_uid
from smartapp.dicomweb.upstream.service import PacsReader
from smartapp.errors import NotFound, UpstreamError, UpstreamRefused
from smartapp.fhir.upstream.model import ReportDocument
from smartapp.fhir.upstream.service import FhirReader
from smartapp.identity.model import Principal
from smartapp.records.contents import has_pictures, paper_kind
from smartapp.records.documents import Documents
from smartapp.records.gate import Gate
from smartapp.records.holdings import Holdings
from smartapp.records.images import Images
from smartapp.records.index import EHR_UNREADABLE, PACS_MISSING, IndexKeeper
from smartapp.records.instances import Instances
from smartapp.records.known import Known
from smartapp.records.merge import report_status
from smartapp.records.model import (
    Attachment,
    IndexedStudy,
    InstanceSummary,
    ReportLink,
    SeriesSummary,
    StudyList,
    StudyPage,
    StudySummary,
)
from smartapp.records.papers import Papers
from smartapp.records.pictures import deidentified
from smartapp.records.release import Released, release
from smartapp.records.searches import Searches
from smartapp.records.view import View
from smartapp.settings import Settings


class Records:
    """What a principal may see of the patient's record. One per process; safe to share by threads.

    Every method asks the question first. NotFound for what is not in the patient's index, or withheld from it.
    `searches` and `images` are the DICOMweb side. `gate` and `view` decide, for FHIR's side as well.
    """

    def __init__(
        self,
        settings: Settings,
        access: Access,
        index: IndexKeeper,
        fhir: FhirReader,
        pacs: Mapping[str, PacsReader],
        cache: InstanceCache,
        pool: RenderPool,
        audit: AuditTrail,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._audit = audit
        self._fhir = fhir
        self._documents = Documents(pacs, cache, clock)
        base_url = settings.server.base_url
        self._holdings = Holdings(access, self._documents, base_url)
        self.gate = self._gate = Gate(access, index, self._holdings, audit)
        self.view = View(self._gate, self._documents, self._released, base_url)
        self.searches = Searches(self._gate, self.view, audit)
        instances = Instances(pacs, cache, self._documents)
        self.images = Images(self._gate, self.view, self._documents, instances, cache, pool, audit)
        self._papers = Papers(self._gate, self._documents, self.images, audit)

    def studies(self, principal: Principal, request_id: str) -> StudyList:
        """The patient's studies, newest first, with what is known of each and whether a report is there."""
        index = self._gate.index(principal, request_id)
        permit = self._gate.listing(principal, index, request_id)
        self._audit.count(permit.disclosure_id)
        foreign = tuple(study.uid for study in index.studies if study.contradicted)
        return StudyList(
            studies=tuple(self._summary(principal, study) for study in index.studies if study.uid in permit.studies),
            unmatched=len(foreign),
            problems=index.problems,
            fetched_at=index.fetched_at,
            foreign=foreign,
        )

    def known(self, principal: Principal, request_id: str, reach: Reach | None = None, *, client_id: str = "") -> Known:
        """All that the principal may see, with the facts that apps are judged by: to choose from, and to try the terms
        of `reach` on. The archive is asked for series where those are judged by kinds, as for an app: a request each.
        For the app `client_id`, if it is given, also for what may be shown de-identified, where the terms say that.

        Where the archive does not tell the series, studies are judged as a whole, and `problems` says so.
        """
        index = self._gate.index(principal, request_id)
        try:
            if reach is not None:
                index = self._holdings.tried(principal, index, request_id, reach, client_id)
        except UpstreamRefused:
            raise
        except UpstreamError:
            index = replace(index, problems=tuple(dict.fromkeys([*index.problems, PACS_MISSING])))
        permit = self._gate.listing(principal, index, request_id)
        self._audit.count(permit.disclosure_id)
        shown = [study for study in index.studies if study.uid in permit.studies]
        return Known(
            studies=tuple(study.facts(principal.patient) for study in shown),
            summaries={study.uid: self._summary(principal, study) for study in shown},
            reports={study.uid: self._released(principal, study).shown for study in shown},
            problems=index.problems,
            unshowable=frozenset(each.uid for each in shown if each.pictures is not None and not deidentified(each)),
            on_file=index.on_file,
        )

    def study(self, principal: Principal, study_uid: str, request_id: str) -> StudyPage:
        """One study, its series and reports. Where the PACS or a report fails, the rest is shown, with a problem."""
        permit, index, study = self._gate.study(principal, study_uid, Action.LIST, request_id)
        self._audit.count(permit.disclosure_id)
        series, no_series, again = self._series(principal, study, request_id)
        released = self._released(principal, study)
        reports, no_reports = self._reports(principal, study, released.shown, request_id)
        problems = dict.fromkeys([*index.problems, *no_series, *no_reports])
        return StudyPage(self._summary(principal, study), series, reports, tuple(problems), released.withheld, again)

    def instances(self, principal: Principal, study: str, series: str, request_id: str) -> tuple[InstanceSummary, ...]:
        """The instances of a series in viewing order."""
        at = self.images.open_study(principal, study, request_id)
        listed = self._documents.contents(at, parse_uid(series)).instances
        self._audit.count(at.permit.disclosure_id)
        return tuple(InstanceSummary(each.sop, each.number, each.frames, paper_kind(each.sop_class)) for each in listed)

    def thumbnail(self, principal: Principal, study: str, series: str, sop: str | None, request_id: str) -> bytes:
        """A small JPEG of an instance, or of the middle one of a series."""
        return self.images.thumbnail(principal, study, series, sop, request_id)

    def attachment(
        self, principal: Principal, study_uid: str, report_id: str, index: int, request_id: str
    ) -> Attachment:
        """A file of a report that belongs to the study."""
        permit, _, study = self._gate.study(principal, study_uid, Action.READ_REPORT, request_id)
        if report_id not in {report.id for report in self._released(principal, study).shown}:
            raise NotFound
        content_type, body = self._fhir.attachment(permit, report_id, index)
        self._audit.count(permit.disclosure_id, bytes=len(body))
        return Attachment(content_type, _filename(study, content_type), body)

    def structured_report(self, principal: Principal, study: str, series: str, sop: str, request_id: str) -> SrDocument:
        """A structured report of the study, as nested text."""
        return self._papers.structured_report(principal, study, series, sop, request_id)

    def document(self, principal: Principal, study: str, series: str, sop: str, request_id: str) -> Attachment:
        """A PDF that lies among the study's pictures."""
        return self._papers.pdf(principal, study, series, sop, request_id)

    def _series(
        self, principal: Principal, study: IndexedStudy, request_id: str
    ) -> tuple[tuple[SeriesSummary, ...], list[str], int | None]:
        if not study.images_available:
            return (), [], None
        at = self.images.open_study(principal, study.uid, request_id)
        try:
            return tuple(_series_summary(row) for row in self._documents.series(at)), [], None
        except UpstreamRefused:
            raise
        except UpstreamError as error:
            return (), [PACS_MISSING], error.retry_after

    def _reports(
        self, principal: Principal, study: IndexedStudy, shown: tuple[ReportLink, ...], request_id: str
    ) -> tuple[tuple[ReportDocument, ...], list[str]]:
        if not shown:
            return (), []
        permit, _, _ = self._gate.study(principal, study.uid, Action.READ_REPORT, request_id)
        found: list[ReportDocument] = []
        problems: list[str] = []
        for link in shown:
            try:
                document = self._fhir.report(permit, link.id)
            except UpstreamRefused:
                raise
            except (UpstreamError, NotFound):
                problems.append(EHR_UNREADABLE)
            else:
                found.append(document)
                problems += document.problems
        permit.check()
        self._audit.count(permit.disclosure_id)
        return tuple(found), problems

    def _released(self, principal: Principal, study: IndexedStudy) -> Released:
        """The study's reports by what may be shown now; the content of the others is not even asked for."""
        return release(self._settings.rules(principal.patient.provider), study, principal.kind, self._clock.now())

    def _summary(self, principal: Principal, study: IndexedStudy) -> StudySummary:
        provider = self._settings.provider(principal.patient.provider)
        started = study.started.astimezone(ZoneInfo(provider.timezone)) if study.started else None
        released = self._released(principal, study)
        reports = released.shown
        return StudySummary(
            uid=study.uid,
            started=started,
            description=study.description,
            modalities=study.modalities,
            body_parts=study.body_parts,
            place=study.place or provider.name,
            series_count=study.series_count,
            instance_count=study.instance_count,
            images_available=study.images_available,
            report_status=report_status(reports) if reports or not released.withheld else "withheld",
            report_ids=tuple(report.id for report in reports),
            report_titles=tuple(report.title for report in reports if report.title),
            body_sites=study.body_sites,
            labels=study.labels,
        )


def _series_summary(row: Row) -> SeriesSummary:
    modality = get(row, "Modality")
    return SeriesSummary(
        uid=get(row, "SeriesInstanceUID"),
        number=number(row, "SeriesNumber"),
        description=get(row, "SeriesDescription"),
        modality=modality,
        instance_count=number(row, "NumberOfSeriesRelatedInstances") or 0,
        pictures=has_pictures(modality),
    )


def _filename(study: IndexedStudy, content_type: str) -> str:
    """A name that a person finds again: the date, and what it is. The ending only for types that we know."""
    ending = {"application/pdf": ".pdf", "text/plain": ".txt"}.get(content_type.partition(";")[0].strip().lower(), "")
    date = f"{study.started:%Y-%m-%d}-" if study.started else ""
    return f"{date}report{ending}"
