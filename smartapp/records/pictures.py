"""Which studies, and which of their series, hold a picture that a grant of de-identified images may show.

What is not known to hold one is not there (decision 19): neither in a list, nor when it is asked for by name.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from smartapp.consent.directives.onfile import keeping_study
from smartapp.consent.model import AppPrincipal, IndexPermit, StudyFacts
from smartapp.consent.reach import Reach
from smartapp.dicomweb.core.dicomjson import Row, get
from smartapp.errors import UpstreamError, UpstreamMismatch, UpstreamRefused
from smartapp.identity.model import PatientKey, Principal
from smartapp.records.addresses import Addresses
from smartapp.records.contents import has_pictures
from smartapp.records.documents import Documents
from smartapp.records.index import PACS_MISSING
from smartapp.records.model import IndexedStudy, StudyIndex
from smartapp.records.showable import Pictured

PICTURES_UNREAD: Final = "pictures-unread"
"""The archive was not yet asked about every picture: more studies may be there than are listed."""
AT_ONCE: Final = 24
"""So many series the archive is asked about for one list: the newest studies first, the others when it is next asked
for.
"""
_ANEW: Final = 3
"""So many of these may be series that were looked at before, if long ago: a list does not wait for all of them."""


@dataclass(frozen=True)
class Wanting:
    """An app to which a record is shown as far as `reach` goes: now, or once the patient has allowed it."""

    patient: PatientKey
    client_id: str
    reach: Reach

    @classmethod
    def of(cls, principal: AppPrincipal) -> Self:
        """The app that asks."""
        return cls(principal.patient, principal.client_id, Reach.of(principal))

    def is_kept_from(self, facts: StudyFacts) -> bool:
        """Whether a Consent on file keeps the study from it."""
        return bool(keeping_study(self.client_id, self.reach.terms.purpose, facts))


def only_deidentified(principal: Principal) -> bool:
    """Whether who asks is an app that is shown de-identified images (or was, and now none)."""
    return isinstance(principal, AppPrincipal) and Reach.of(principal).hides_identity


def shown_to(principal: Principal, study: IndexedStudy | None) -> IndexedStudy | None:
    """The study as its pictures count for the principal: as it is, or as `deidentified`."""
    return study if study is None or not only_deidentified(principal) else deidentified(study)


def deidentified(study: IndexedStudy) -> IndexedStudy | None:
    """The study with those series alone (`held`) of which a picture may be shown.

    None where there is none, or that is not known. A study that the archive does not have is only word of one.
    """
    if not study.images_available:
        return study
    told = study.pictures or {}
    held = tuple(row for row in study.held if (one := told.get(_uid(row))) is not None and one.showable)
    return replace(study, held=held) if held else None


@dataclass
class _Asking:
    """For one answer. `permit` is asked for when the archive is, once."""

    index: StudyIndex
    addresses: Addresses
    permit: Callable[[], IndexPermit]


class Pictures:
    """Fills in what is known, and asks for some of what is not. One per process; safe to share by threads."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def filled(
        self,
        wanting: Wanting,
        index: StudyIndex,
        addresses: Addresses,
        permit: Callable[[], IndexPermit],
        *,
        only: str | None,
    ) -> StudyIndex:
        """The index, whose studies have their series (`held`), with `pictures` in those that the app may have.

        `only` that study, if it is given: then it is told in full, and the `Upstream*` errors are raised. In a list a
        study that could not be told is left without, and `problems` says so.
        """
        reached = {
            study.uid: _reached(wanting, study)
            for study in index.studies
            if only in {None, study.uid} and _may_hold(wanting, study)
        }
        known = {
            study.uid: self._documents.pictured(wanting.patient, study, addresses)
            for study in index.studies
            if study.uid in reached
        }
        asking = _Asking(index, addresses, permit)
        problem = self._learn(asking, reached, known, strictly=only is not None)
        studies = tuple(_told(study, reached.get(study.uid), known.get(study.uid, {})) for study in index.studies)
        if all(study.pictures is not None for study in studies if study.uid in reached):
            return replace(index, studies=studies)
        return replace(index, studies=studies, problems=tuple(dict.fromkeys([*index.problems, problem])))

    def _learn(
        self,
        asking: _Asking,
        reached: Mapping[str, Sequence[str]],
        known: Mapping[str, dict[str, Pictured]],
        *,
        strictly: bool,
    ) -> str:
        """Asks for what was never seen, and then for what was seen long ago. Why something may still be missing."""
        places = [(study, uid) for study in asking.index.studies for uid in reached.get(study.uid, ())]
        never = [(study, uid) for study, uid in places if uid not in known[study.uid]]
        before = [(study, uid) for study, uid in places if uid in known[study.uid]]
        old = [(study, uid) for study, uid in before if not self._documents.showable.is_fresh(known[study.uid][uid])]
        wanted = [*never, *old] if strictly else [*never, *old[:_ANEW]][:AT_ONCE]
        try:
            self._ask(asking, wanted, known)
        except (UpstreamRefused, UpstreamMismatch):
            raise
        except UpstreamError:
            if strictly:
                raise
            return PACS_MISSING
        return PICTURES_UNREAD

    def _ask(
        self, asking: _Asking, places: Iterable[tuple[IndexedStudy, str]], known: Mapping[str, dict[str, Pictured]]
    ) -> None:
        for study, uid in places:
            permit = asking.permit()
            known[study.uid][uid] = self._documents.fetch_pictured(
                permit, asking.index.ids, study, asking.addresses, uid
            )


def _reached(wanting: Wanting, study: IndexedStudy) -> list[str]:
    """The series that may be had and hold pictures."""
    reach, facts = wanting.reach, study.facts(wanting.patient)
    return [
        _uid(row)
        for row in study.held
        if has_pictures(get(row, "Modality"))
        and any(reach.series(facts, study.series_of(row), letter) for letter in "rs")
    ]


def _may_hold(wanting: Wanting, study: IndexedStudy) -> bool:
    """Whether the app would learn of the study, had it something to show."""
    facts = study.facts(wanting.patient)
    return (
        study.owned
        and study.images_available
        and any(wanting.reach.study(facts, letter) for letter in "rs")
        and not wanting.is_kept_from(facts)
    )


def _told(study: IndexedStudy, reached: Sequence[str] | None, known: Mapping[str, Pictured]) -> IndexedStudy:
    """The study with what is known of its pictures, if that is known of all."""
    if reached is None or not study.held or any(uid not in known for uid in reached):
        return study
    return replace(study, pictures={uid: known[uid] for uid in reached})


def _uid(row: Row) -> str:
    return get(row, "SeriesInstanceUID")
