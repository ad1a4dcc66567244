"""Which series studies hold, for apps that are allowed some kinds only: then a study counts by its series.

What a list says, what a search finds and what is read are judged by the same facts, on FHIR's side and on DICOMweb's.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from smartapp.access.service import Access
from smartapp.consent.directives.onfile import keeping_study
from smartapp.consent.model import AppPrincipal, IndexPermit
from smartapp.consent.reach import Reach
from smartapp.dicomweb.core.dicomjson import Row
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
        asker = principal.client_id, principal.terms.purpose
        return self.of_all(
            principal, index, request_id, lambda study: bool(keeping_study(*asker, study.facts(principal.patient)))
        )

    def of_all(
        self,
        principal: Principal,
        index: StudyIndex,
        request_id: str,
        kept_back: Callable[[IndexedStudy], bool] = lambda _study: False,
    ) -> StudyIndex:
        """The index, with the archive's series in its studies, for whoever asks; those `kept_back` are left as they
        are, and not asked for.
        """
        addresses = Addresses(self._base_url, principal.patient.provider)
        asked = [each for each in index.studies if each.owned and each.images_available and not kept_back(each)]
        kept = {study.uid: self._documents.kept_series(principal.patient, study, addresses) for study in asked}
        missing = [study for study in asked if kept[study.uid] is None]
        if missing:  # that the archive is asked is written down, once for all studies
            permit = self._access.index(principal, request_id)
            kept.update(self._fetched(permit, index, missing, addresses))
        return replace(
            index, studies=tuple(replace(study, held=kept.get(study.uid) or study.held) for study in index.studies)
        )

    def _fetched(
        self, permit: IndexPermit, index: StudyIndex, missing: Sequence[IndexedStudy], addresses: Addresses
    ) -> dict[str, tuple[Row, ...]]:
        """At once, where that is fewer requests; what the archive does not tell so, study by study."""
        found: dict[str, tuple[Row, ...]] = {}
        if len(missing) > len(index.ids.values):
            found = self._documents.fetch_series_of_many(permit, index.ids, missing, addresses)
        for study in missing:
            if study.uid not in found:
                found[study.uid] = self._documents.fetch_series(permit, index.ids, study, addresses)
        return found
