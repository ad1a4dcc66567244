"""What a person may grant, and when a change only narrows. Pure."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from smartapp.consent.grants.model import Terms
from smartapp.consent.model import Purpose, StudyFacts
from smartapp.consent.reach import REPORT_TYPES, Reach
from smartapp.consent.scopes.algebra import contains, intersect, is_empty, may
from smartapp.consent.scopes.model import Scopes
from smartapp.exchange.grants.model import TermsRefused

_IMAGES: Final = ("none", "deidentified", "full")
"""From least to most."""


@dataclass(frozen=True)
class Ground:
    """What terms are judged against: the scopes on offer, the studies the person may see, the moment (UTC), and where
    the person's own right ends. `kept` are studies (UIDs) that were granted before and may stay, listed now or not.
    """

    offered: Scopes
    studies: tuple[StudyFacts, ...]
    now: datetime
    right_ends: datetime | None = None
    kept: frozenset[str] = frozenset()


def checked(terms: Terms, ground: Ground) -> Terms:
    """The terms that may be granted: what was ticked and offered, for studies that are there, ending in time.

    Without `future`, the studies that match now are written down by themselves. Raises TermsRefused.
    """
    scopes = intersect(terms.scopes, ground.offered)
    if is_empty(scopes):
        raise TermsRefused("grant.nothing")
    for check in _CHECKS:
        check(terms, ground)
    labelled = {study.uid for study in ground.studies if study.labels} | ground.kept
    narrowed = replace(
        terms,
        scopes=scopes,
        sensitive=terms.sensitive & labelled,
        expires_at=_earlier(terms.expires_at, ground.right_ends),
    )
    return narrowed if narrowed.future and narrowed.chosen is None else _frozen(narrowed, ground.studies)


def narrows(new: Terms, old: Terms) -> bool:
    """Whether `new` reaches nothing that `old` does not: for no study, no report, at no time, for the same purpose."""
    return all(
        (
            contains(old.scopes, new.scopes) and new.scopes.words <= old.scopes.words,
            _within(new, old),
            old.future or not new.future,
            not old.modalities or (bool(new.modalities) and new.modalities <= old.modalities),
            not old.body_sites or (bool(new.body_sites) and new.body_sites <= old.body_sites),
            old.started_from is None or (new.started_from is not None and new.started_from >= old.started_from),
            old.started_to is None or (new.started_to is not None and new.started_to <= old.started_to),
            old.reports or not new.reports,
            _IMAGES.index(new.images) <= _IMAGES.index(old.images),
            new.hides_identity or not old.hides_identity,
            new.purpose == old.purpose,
            old.expires_at is None or (new.expires_at is not None and new.expires_at <= old.expires_at),
            new.sensitive <= old.sensitive,
        )
    )


def still_masked(new: Terms, old: Terms) -> Terms:
    """`new`, as it follows on `old`: who takes de-identified images away does not show by it whose they are."""
    return replace(new, masked=old.hides_identity and new.images == "none")


def matching(terms: Terms, studies: Iterable[StudyFacts]) -> tuple[StudyFacts, ...]:
    """The studies that the terms reach now: those that come later aside."""
    reach = Reach(terms.scopes, replace(terms, future=True), itself)
    return tuple(study for study in studies if reach.study(study, "s") or reach.study(study, "r"))


def itself(uid: str) -> str:
    """The UID as the hospital has it: for judging what is not shown to an app."""
    return uid


def matching_with_labels(terms: Terms, studies: Collection[StudyFacts]) -> tuple[StudyFacts, ...]:
    """The studies that the terms would reach if each with a security label were ticked by itself."""
    return matching(replace(terms, sensitive=frozenset(study.uid for study in studies)), studies)


def _frozen(terms: Terms, studies: Collection[StudyFacts]) -> Terms:
    """Those of today. An app that sees neither studies nor reports has none to write down, and gets none later."""
    if terms.chosen is not None:
        return replace(terms, future=False)
    if not any(may(terms.scopes, type_, letter) for type_ in (*REPORT_TYPES, "ImagingStudy") for letter in "rs"):
        return replace(terms, future=False)
    reach = Reach(terms.scopes, replace(terms, future=True), itself)
    reached = frozenset(study.uid for study in studies if _within_terms(reach, study))
    if not reached:
        raise TermsRefused("grant.nothing-now")
    return replace(terms, chosen=reached, future=False)


def _within_terms(reach: Reach, study: StudyFacts) -> bool:
    """Whether the study itself may be had, or a report of it by an app that asked for reports only."""
    reports = any(reach.may(type_, letter) for type_ in REPORT_TYPES for letter in "rs")
    return reach.study(study, "s") or reach.study(study, "r") or (reports and reach.reports_of(study))


def _within(new: Terms, old: Terms) -> bool:
    """Whether the studies of `new` are among those of `old`. One that has no list and nothing to come has none."""
    if old.chosen is None:
        return old.future or not new.chosen
    return new.chosen is not None and new.chosen <= old.chosen


def _earlier(one: datetime | None, two: datetime | None) -> datetime | None:
    return min((each for each in (one, two) if each is not None), default=None)


def _check_studies(terms: Terms, ground: Ground) -> None:
    """A study that is not the person's to see is none, whatever the page says."""
    known = {study.uid for study in ground.studies} | ground.kept
    if terms.chosen is not None and not (terms.chosen and terms.chosen <= known):
        raise TermsRefused("grant.studies")


def _check_dates(terms: Terms, _ground: Ground) -> None:
    if terms.started_from is not None and terms.started_to is not None and terms.started_from > terms.started_to:
        raise TermsRefused("grant.dates")


def _check_images(terms: Terms, _ground: Ground) -> None:
    if terms.images not in _IMAGES:
        raise TermsRefused("grant.images")


def _check_purpose(terms: Terms, _ground: Ground) -> None:
    if terms.purpose not in set(Purpose):
        raise TermsRefused("grant.purpose")


def _check_expiry(terms: Terms, ground: Ground) -> None:
    if terms.expires_at is not None and terms.expires_at <= ground.now:
        raise TermsRefused("grant.expires")
    if ground.right_ends is not None and ground.right_ends <= ground.now:
        raise TermsRefused("grant.expires")


_CHECKS: Final[tuple[Callable[[Terms, Ground], None], ...]] = (
    _check_studies,
    _check_dates,
    _check_images,
    _check_purpose,
    _check_expiry,
)
