"""Which series studies hold, for apps that are allowed some kinds only, or images without names in them: then a study
counts by its series.

What a list says, what a search finds and what is read are judged by the same facts, on FHIR's side and on DICOMweb's.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from smartapp.access.service import Access
from smartapp.consent.model import AppPrincipal, IndexPermit, StudyFacts
from smartapp.consent.reach import Reach
from smartapp.dicomweb.core.dicomjson import Row
from smartapp.errors import UpstreamError, UpstreamMismatch, UpstreamRefused
from smartapp.identity.model import PatientKey, Principal
from smartapp.records.addresses import Addresses
from smartapp.records.documents import Documents
from smartapp.records.index import PACS_MISSING
from smartapp.records.model import IndexedStudy, StudyIndex
from smartapp.records.pictures import AT_ONCE, Pictures, Wanting
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
        wanting, asking = Wanting.of(principal), _Once(self._access, principal, request_id)
        if wanting.reach.by_kind:
            index = self._of(wanting.patient, index, asking, lambda facts: not wanting.is_kept_from(facts))
        return self._pictured(wanting, index, asking, only) if wanting.reach.hides_identity else index

    def tried(
        self, principal: Principal, index: StudyIndex, request_id: str, reach: Reach, client_id: str
    ) -> StudyIndex:
        """The index, with the archive's series in its studies where `reach` goes by kinds, whoever asks; for an app
        that is to have it, if one is named, with what is known of their pictures, as in `filled`.
        """
        asking = _Once(self._access, principal, request_id)
        if reach.by_kind:
            index = self._of(principal.patient, index, asking, lambda _facts: True)
        if not client_id or not reach.hides_identity:
            return index
        return self._pictured(Wanting(principal.patient, client_id, reach), index, asking, None)

    def _pictured(self, wanting: Wanting, index: StudyIndex, asking: "_Once", only: str | None) -> StudyIndex:
        if not wanting.reach.by_kind:
            index = self._if_told(wanting, index, asking, only)
        addresses = Addresses(self._base_url, wanting.patient.provider)
        return self._pictures.filled(wanting, index, addresses, asking, only=only)

    def _if_told(self, wanting: Wanting, index: StudyIndex, asking: "_Once", only: str | None) -> StudyIndex:
        """The index, with the series of those studies that the grant reaches: as many as are told with few questions.
        An archive that is silent fails no list here: then nothing is known of its pictures either.
        """

        def wanted(facts: StudyFacts) -> bool:
            reached = only in {None, facts.uid} and any(wanting.reach.study(facts, letter) for letter in "rs")
            return reached and not wanting.is_kept_from(facts)

        try:
            return self._of(wanting.patient, index, asking, wanted, at_most=AT_ONCE)
        except (UpstreamRefused, UpstreamMismatch):
            raise
        except UpstreamError:
            if only is not None:
                raise
            return replace(index, problems=tuple(dict.fromkeys([*index.problems, PACS_MISSING])))

    def _of(
        self,
        patient: PatientKey,
        index: StudyIndex,
        asking: "_Once",
        wanted: Callable[[StudyFacts], bool],
        at_most: int | None = None,
    ) -> StudyIndex:
        """Those that are not `wanted` are left as they are, and not asked for."""
        addresses = Addresses(self._base_url, patient.provider)
        there = [each for each in index.studies if each.owned and each.images_available]
        asked = [each for each in there if wanted(each.facts(patient))]
        kept = {study.uid: self._documents.kept_series(patient, study, addresses) for study in asked}
        missing = [study for study in asked if kept[study.uid] is None]
        if missing:
            kept.update(self._fetched(asking(), index, missing, addresses, at_most))
        for study in missing:
            if kept[study.uid] is None:
                kept[study.uid] = self._documents.kept_series(patient, study, addresses, KEPT)
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
