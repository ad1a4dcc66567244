"""How far an app's right goes at this moment: its token's scopes and the newest terms of the grant, both. Pure.

The kinds (modality, part of the body) are judged series by series, so a permission for CT reaches the CT series of a
PET/CT and no other. What is not known denies (decision 12): a missing date, part of the body, status or modality.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Self

from smartapp.consent.aliases import shown_uid
from smartapp.consent.bodysites import places
from smartapp.consent.facts import ReportKnown, SeriesFacts, StudyFacts
from smartapp.consent.grants.model import Images, Terms
from smartapp.consent.labels import is_sensitive
from smartapp.consent.matching import Kinds, Shown, holds, report_scopes, study_scopes
from smartapp.consent.principal import AppPrincipal
from smartapp.consent.scopes.algebra import intersect, may, only
from smartapp.consent.scopes.model import ANY_TYPE, Level, Scopes
from smartapp.consent.scopes.statement import REPORT_TYPES

__all__ = ["REPORT_TYPES", "Reach", "ReportKnown", "SeriesFacts"]


@lru_cache(maxsize=512)
def _usable(token: Scopes, granted: Scopes) -> Scopes:
    """Only what speaks of the patient: `user/` and `system/` reach nothing under a patient's grant."""
    return only(intersect(token, granted), Level.PATIENT)


@dataclass(frozen=True)
class Reach:
    """What a token with `scopes` reaches under `terms`. `shown` gives UIDs as the app is shown them.

    It says nothing of whose a study is: that is the policy's (`consent.policy`), which asks this besides.
    """

    scopes: Scopes
    terms: Terms
    shown: Shown

    @classmethod
    def of(cls, principal: AppPrincipal) -> Self:
        """The reach of an app that asks."""
        return cls(principal.scopes, principal.terms, partial(shown_uid, principal))

    @property
    def images(self) -> Images:
        """Whether pictures may be had, and how."""
        return self.terms.images

    @property
    def hides_identity(self) -> bool:
        """Whether studies are shown without what names the patient, under other UIDs."""
        return self.terms.hides_identity

    def may(self, type_: str, letter: str) -> bool:
        """Whether anything of this type may be had by this interaction; if not, it is `insufficient_scope`."""
        return may(self._scopes, type_, letter) and (type_ not in REPORT_TYPES or self.terms.reports)

    @cached_property
    def by_kind(self) -> bool:
        """Whether modality or part of the body decide what of a study may be had."""
        named = (each.name for scope in self._scopes.resources for each in scope.filters)
        return self._kinds != Kinds() or any(name in {"modality", "bodysite"} for name in named)

    def may_anything(self) -> bool:
        """Whether there is any type that may be read or searched."""
        return any(letter in scope.letters for scope in self._scopes.resources for letter in "rs")

    def may_name_user(self) -> bool:
        """Whether it may learn who granted (SMART App Launch 2.2, `fhirUser`)."""
        return "fhirUser" in self._scopes.words

    def study(self, facts: StudyFacts, letter: str) -> bool:
        """Whether the study may be had: where its series are known, at least one of them may."""
        if not self._granted(facts):
            return False
        for scope in study_scopes(self._scopes, letter):
            if all(check(facts, self.shown) for check in scope.checks) and self._some(facts, scope.kinds):
                return True
        return False

    def series(self, facts: StudyFacts, series: SeriesFacts, letter: str) -> bool:
        """Whether this series of the study may be had."""
        if not self._granted(facts) or not self._kinds.series(series):
            return False
        return any(
            scope.kinds.series(series)
            and all(check(facts, self.shown) for check in scope.checks)
            and self._some(facts, scope.kinds)
            for scope in study_scopes(self._scopes, letter)
        )

    def reports_of(self, facts: StudyFacts) -> bool:
        """Whether reports of the study may be had, if a scope allows them: `report` says which."""
        return self.terms.reports and self._granted(facts) and self._some(facts, Kinds())

    def report(self, facts: StudyFacts | None, report: ReportKnown, letter: str) -> bool:
        """Whether this report may be had. `facts` are its study's; None for a report that belongs to no study we know:
        it may be had only where the patient allowed all studies, whatever their date, kind and part of the body.

        Scopes for ImagingStudy do not narrow reports: each scope speaks of its own type.
        """
        within = self.reports_of(facts) if facts is not None else self._unpaired(report)
        return within and any(all(check(report) for check in checks) for checks in report_scopes(self._scopes, letter))

    def resource(self, type_: str, letter: str, told: Mapping[str, Collection[str]]) -> bool:
        """Whether a resource of another type may be had. `told` are the values (`system|code`) of what its scopes may
        be filtered by: `category` and `status` of a Consent.
        """
        return self.may(type_, letter) and any(
            scope.type == ANY_TYPE or holds(scope, told)
            for scope in self._scopes.resources
            if scope.covers(type_, letter)
        )

    @cached_property
    def _scopes(self) -> Scopes:
        return _usable(self.scopes, self.terms.scopes)

    @cached_property
    def _kinds(self) -> Kinds:
        """The terms' own. Places that name nothing leave a set that holds nothing, and not one that holds all."""
        modalities, sites = self.terms.modalities, self.terms.body_sites
        return Kinds((modalities,) if modalities else (), (places(sites),) if sites else ())

    def _granted(self, facts: StudyFacts) -> bool:
        """Whether the terms allow the study, apart from its kinds."""
        terms = self.terms
        if facts.uid not in terms.chosen if terms.chosen is not None else not terms.future:
            return False
        if facts.labels and facts.uid not in terms.sensitive and is_sensitive(facts.labels):
            return False
        if terms.started_from is None and terms.started_to is None:
            return True
        return facts.started is not None and (
            (terms.started_from is None or terms.started_from <= facts.started)
            and (terms.started_to is None or facts.started <= terms.started_to)
        )

    def _some(self, facts: StudyFacts, kinds: Kinds) -> bool:
        """Whether any of the study is of these kinds and of the terms'."""
        mine = self._kinds
        if not facts.series:
            return mine.study(facts) and kinds.study(facts)
        return any(mine.series(series) and kinds.series(series) for series in facts.series)

    def _unpaired(self, report: ReportKnown) -> bool:
        terms = self.terms
        everything = terms.chosen is None and terms.future and self._kinds == Kinds()
        always = terms.started_from is None and terms.started_to is None
        return terms.reports and everything and always and not is_sensitive(report.labels)
