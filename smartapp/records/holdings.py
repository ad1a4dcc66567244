"""Which series studies hold, for apps that are allowed some kinds only: then a study counts by its series.

What a list says, what a search finds and what is read are judged by the same facts, on FHIR's side and on DICOMweb's.
"""

from dataclasses import replace
from functools import cache

from smartapp.access.service import Access
from smartapp.consent.model import AppPrincipal, IndexPermit
from smartapp.consent.reach import Reach
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
        """The index, with the archive's series in its studies where the principal is judged by kinds.

        It shows nothing by itself. Raises the `Upstream*` errors: a study whose series cannot be told is neither shown
        nor left out.
        """
        if not isinstance(principal, AppPrincipal) or not Reach.of(principal).by_kind:
            return index
        return self.of_all(principal, index, request_id)

    def of_all(self, principal: Principal, index: StudyIndex, request_id: str) -> StudyIndex:
        """The index, with the archive's series in its studies, for whoever asks."""

        @cache
        def permit() -> IndexPermit:
            """One for all studies, and only where the archive is asked at all: it is written down each time."""
            return self._access.index(principal, request_id)

        patient, addresses = principal.patient, Addresses(self._base_url, principal.patient.provider)

        def filled(study: IndexedStudy) -> IndexedStudy:
            if not study.owned or not study.images_available:
                return study
            rows = self._documents.kept_series(patient, study, addresses)
            if rows is None:
                rows = self._documents.fetch_series(permit(), index.ids, study, addresses)
            return replace(study, held=rows)

        return replace(index, studies=tuple(map(filled, index.studies)))
