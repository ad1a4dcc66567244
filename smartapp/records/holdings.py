"""Which series studies hold, for apps that are allowed some kinds only: then a study counts by its series.

What a list says, what a search finds and what is read are judged by the same facts, on FHIR's side and on DICOMweb's.
"""

from dataclasses import replace

from smartapp.access.service import Access
from smartapp.consent.facts import SeriesFacts
from smartapp.consent.model import AppPrincipal
from smartapp.consent.reach import Reach
from smartapp.dicomweb.core.dicomjson import Row, get
from smartapp.identity.model import Principal
from smartapp.records.addresses import Addresses
from smartapp.records.documents import Documents
from smartapp.records.model import IndexedStudy, StudyIndex


class Holdings:
    """Fills in the series. One per process; safe to share by threads. The PACS is asked once for some minutes."""

    def __init__(self, access: Access, documents: Documents, base_url: str) -> None:
        self._access = access
        self._documents = documents
        self._base_url = base_url

    def filled(self, principal: Principal, index: StudyIndex, request_id: str) -> StudyIndex:
        """The index, where kinds decide with the PACS's series in those studies that they may let through.

        It shows nothing by itself, and no study counts by it that did not before. Raises the `Upstream*` errors: a
        study whose series cannot be told is neither shown nor left out.
        """
        if not isinstance(principal, AppPrincipal):
            return index
        reach = Reach.of(principal)
        if not reach.by_kind:
            return index
        return replace(
            index, studies=tuple(self._filled(principal, reach, index, study, request_id) for study in index.studies)
        )

    def _filled(
        self, principal: AppPrincipal, reach: Reach, index: StudyIndex, study: IndexedStudy, request_id: str
    ) -> IndexedStudy:
        if not study.owned or not study.images_available or not _may_count(principal, reach, study):
            return study
        addresses = Addresses(self._base_url, principal.patient.provider)
        rows = self._documents.kept_series(principal.patient, study, addresses)
        if rows is None:
            permit = self._access.index(principal, request_id)
            rows = self._documents.fetch_series(permit, index.ids, study, addresses)
        return replace(study, held_series=tuple(series_facts(study, row) for row in rows))


def series_facts(study: IndexedStudy, row: Row) -> SeriesFacts:
    """A series by the PACS's row of it."""
    return study.series_facts(get(row, "SeriesInstanceUID"), get(row, "Modality"), get(row, "BodyPartExamined"))


def _may_count(principal: AppPrincipal, reach: Reach, study: IndexedStudy) -> bool:
    facts = study.facts(principal.patient)
    return reach.reports_of(facts) or any(reach.study(facts, letter) for letter in "rs")
