"""From what is visible to resources: the one place here that asks EHR and PACS, and for what is on a page only."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from smartapp.consent.aliases import shown_uid
from smartapp.consent.facts import SeriesFacts
from smartapp.consent.model import AppPrincipal, Permit
from smartapp.dicomweb.core.dicomjson import Row
from smartapp.errors import NotFound
from smartapp.fhir.upstream.documents import Json
from smartapp.fhir.upstream.service import FhirReader
from smartapp.records.addresses import Addresses
from smartapp.records.documents import StudyAt
from smartapp.records.model import IndexedStudy, StudyIndex
from smartapp.records.resources import people, reports, studies
from smartapp.records.resources.ids import form_id
from smartapp.records.resources.model import FormItem, Item, PlainItem, ReportItem, StudyItem
from smartapp.records.resources.parameters import updated
from smartapp.records.resources.sight import Sight
from smartapp.records.resources.stamp import stamped
from smartapp.records.view import View as Seeing


@dataclass(frozen=True)
class Sources:
    """Where resources come from at one hospital; `base` is its EHR's address, which its references may begin with."""

    seen: Seeing
    fhir: FhirReader
    base: str
    addresses: Addresses


@dataclass(frozen=True)
class Builder:
    """Makes the resources of one answer. `sight` says which series and references may show; `since`, since when the
    app is shown a resource as it is, where nobody else says when that changed.
    """

    principal: AppPrincipal
    sources: Sources
    request_id: str
    index: Callable[[], StudyIndex]
    sight: Callable[[], Sight]
    since: Callable[[Json], datetime]

    def resource(self, item: Item, permit: Permit | None) -> Json:
        """The resource. NotFound where the EHR has it no longer, or shows it no longer to us.

        Without a permit: what names nobody's data.
        """
        if isinstance(item, PlainItem) and item.resource:
            return self._stamped(item, item.resource)
        if permit is None:
            raise NotFound
        return self._stamped(item, self._made(item, permit))

    def _stamped(self, item: Item, resource: Json) -> Json:
        return stamped(resource, updated(item) or self.since(resource))

    def _made(self, item: Item, permit: Permit) -> Json:
        if isinstance(item, StudyItem):
            return self._study(item, permit)
        if isinstance(item, ReportItem):
            return self._report(item, permit)
        if isinstance(item, FormItem):
            return reports.document_reference(item, self._patient_id)
        return self._person(item, permit)

    @property
    def _patient_id(self) -> str:
        return self.principal.patient.patient_id

    def _study(self, item: StudyItem, permit: Permit) -> Json:
        rows = self._rows(item.study, permit)
        described = self.principal.alias_key is None
        return studies.imaging_study(
            item, rows, self._patient_id, lambda uid: shown_uid(self.principal, uid), described=described
        )

    def _rows(self, study: IndexedStudy, permit: Permit) -> list[tuple[Row, SeriesFacts]]:
        at = StudyAt(permit, self.index().ids, study, self.sources.addresses, self.request_id)
        seen = self.sources.seen
        return [(seen.counted(at, row), study.series_of(row)) for row in seen.seen(at).rows]

    def _report(self, item: ReportItem, permit: Permit) -> Json:
        raw = self.sources.fhir.report_resource(permit, item.id)
        provider = self.principal.patient.provider
        return reports.diagnostic_report(
            raw,
            item,
            self._patient_id,
            self.sources.base,
            self.sight().study_ids(item),
            lambda index: form_id(provider, item.id, index),
        )

    def _person(self, item: PlainItem, permit: Permit) -> Json:
        type_, _, id_ = item.reference.partition("/")
        if type_ == "Patient":
            return people.patient(dict(self.sources.fhir.patient(permit).raw), id_)
        raw = self.sources.fhir.person(permit, item.reference)
        if type_ == "RelatedPerson":
            return people.related_person(raw, id_, self._patient_id)
        return people.practitioner(raw, id_) if type_ == "Practitioner" else people.organization(raw, id_)
