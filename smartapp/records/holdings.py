"""Which series studies hold, for apps that are allowed some kinds only, or images without names in them: then a study
counts by its series.

What a list says, what a search finds and what is read are judged by the same facts, on FHIR's side and on DICOMweb's.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from smartapp.access.service import Access
from smartapp.consent.directives.onfile import keeping_study
from smartapp.consent.model import AppPrincipal, IndexPermit
from smartapp.consent.reach import Reach
from smartapp.dicomweb.core.dicomjson import Row
from smartapp.errors import UpstreamError, UpstreamMismatch, UpstreamRefused
from smartapp.identity.model import Principal
from smartapp.records.addresses import Addresses
from smartapp.records.documents import Documents
from smartapp.records.index import PACS_MISSING
from smartapp.records.model import IndexedStudy, StudyIndex
from smartapp.records.pictures import AT_ONCE, Pictures, only_deidentified
from smartapp.records.showable import KEPT


class Holdings:
    """Fills in the series. One per process; safe to share by threads. The PACS is asked once for some minutes."""

    def __init__(self, access: Access, documents: Documents, base_url: str) -> None:
        self._access = access
        self._documents = documents
        self._pictures = Pictures(documents)
        self._base_url = base_url

    def filled(
        self, principal: Principal, index: StudyIndex, request_id: str, *, only: str | None = None
    ) -> StudyIndex:
        """The index, with the archive's series in its studies where the principal is judged by kinds, and with what is
        known of their pictures where only de-identified ones are shown (in `only` that study, if it is given).

        It shows nothing by itself. Raises the `Upstream*` errors: a study whose series cannot be told is neither shown
        nor left out. For pictures see `Pictures`.
        """
        if not isinstance(principal, AppPrincipal):
            return index
        asking = _Once(self._access, principal, request_id)
        if Reach.of(principal).by_kind:
            index = self._filled(principal, index, asking, lambda _study: True)
        if not only_deidentified(principal):
            return index
        if not Reach.of(principal).by_kind:
            index = self._if_told(principal, index, asking, only)
        addresses = Addresses(self._base_url, principal.patient.provider)
        return self._pictures.filled(principal, index, addresses, asking, only=only)

    def _if_told(self, principal: AppPrincipal, index: StudyIndex, asking: "_Once", only: str | None) -> StudyIndex:
        """The index, with the series of those studies that the grant reaches: as many as are told with few questions.
        An archive that is silent fails no list here: then nothing is known of its pictures either.
        """
        reach = Reach.of(principal)

        def wanted(study: IndexedStudy) -> bool:
            facts = study.facts(principal.patient)
            return only in {None, study.uid} and any(reach.study(facts, letter) for letter in "rs")

        try:
            return self._filled(principal, index, asking, wanted, at_most=AT_ONCE)
        except (UpstreamRefused, UpstreamMismatch):
            raise
        except UpstreamError:
            if only is not None:
                raise
            return replace(index, problems=tuple(dict.fromkeys([*index.problems, PACS_MISSING])))

    def _filled(
        self,
        principal: AppPrincipal,
        index: StudyIndex,
        asking: "_Once",
        wanted: Callable[[IndexedStudy], bool],
        at_most: int | None = None,
    ) -> StudyIndex:
        asker = principal.client_id, principal.terms.purpose

        def asked(study: IndexedStudy) -> bool:
            return wanted(study) and not keeping_study(*asker, study.facts(principal.patient))

        return self._of(principal, index, asking, asked, at_most)

    def of_all(self, principal: Principal, index: StudyIndex, request_id: str) -> StudyIndex:
        """The index, with the archive's series in its studies, for whoever asks."""
        return self._of(principal, index, _Once(self._access, principal, request_id), lambda _study: True)

    def _of(
        self,
        principal: Principal,
        index: StudyIndex,
        asking: "_Once",
        wanted: Callable[[IndexedStudy], bool],
        at_most: int | None = None,
    ) -> StudyIndex:
        """Those that are not `wanted` are left as they are, and not asked for."""
        addresses = Addresses(self._base_url, principal.patient.provider)
        asked = [each for each in index.studies if each.owned and each.images_available and wanted(each)]
        kept = {study.uid: self._documents.kept_series(principal.patient, study, addresses) for study in asked}
        missing = [study for study in asked if kept[study.uid] is None]
        if missing:
            kept.update(self._fetched(asking(), index, missing, addresses, at_most))
        for study in missing:
            if kept[study.uid] is None:
                kept[study.uid] = self._documents.kept_series(principal.patient, study, addresses, KEPT)
        return replace(
            index, studies=tuple(replace(study, held=kept.get(study.uid) or study.held) for study in index.studies)
        )

    def _fetched(
        self,
        permit: IndexPermit,
        index: StudyIndex,
        missing: Sequence[IndexedStudy],
        addresses: Addresses,
        at_most: int | None,
    ) -> dict[str, tuple[Row, ...]]:
        """At once, where that is fewer requests; what is not told so, study by study, of these `at_most` so many."""
        found: dict[str, tuple[Row, ...]] = {}
        if len(missing) > len(index.ids.values):
            found = self._documents.fetch_series_of_many(permit, index.ids, missing, addresses)
        for study in [each for each in missing if each.uid not in found][:at_most]:
            found[study.uid] = self._documents.fetch_series(permit, index.ids, study, addresses)
        return found


class _Once:
    """The permit to ask the archive: that it is asked is written down before, once for all studies of an answer."""

    def __init__(self, access: Access, principal: Principal, request_id: str) -> None:
        self._access = access
        self._principal = principal
        self._request_id = request_id
        self._permit: IndexPermit | None = None

    def __call__(self) -> IndexPermit:
        """The permit. Raises what `Access.index` does."""
        if self._permit is None:
            self._permit = self._access.index(self._principal, self._request_id)
        return self._permit
