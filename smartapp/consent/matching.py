"""The filters of scopes, made ready to be asked about many studies and reports. Pure.

A fact that is not known matches no filter, whichever way the filter is put (decision 12).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from typing import Final

from smartapp.consent.aliases import study_id
from smartapp.consent.bodysites import SNOMED, places
from smartapp.consent.facts import ReportKnown, SeriesFacts, StudyFacts
from smartapp.consent.scopes import days
from smartapp.consent.scopes.model import Filter, ResourceScope, Scopes
from smartapp.consent.scopes.parameters import Token, token

Shown = Callable[[str], str]
"""The UID as it is shown for a UID of the archive."""

StudyCheck = Callable[[StudyFacts, Shown], bool]
ReportCheck = Callable[[ReportKnown], bool]

_UID_SYSTEM: Final = "urn:dicom:uid"


@dataclass(frozen=True)
class Kinds:
    """What is judged series by series: each of the sets of modalities, and of places, has to hold the series' own."""

    modalities: tuple[frozenset[str], ...] = ()
    places: tuple[frozenset[str], ...] = ()

    def series(self, series: SeriesFacts) -> bool:
        """A series without a modality or place, or with two places, is of none that was named."""
        for allowed in self.modalities:
            if series.modality not in allowed:
                return False
        if not self.places:
            return True
        here = places(series.body_sites)
        return len(here) == 1 and all(here <= allowed for allowed in self.places)

    def study(self, study: StudyFacts) -> bool:
        """By what is said of the study as a whole, where its series are not known."""
        for allowed in self.modalities:
            if allowed.isdisjoint(study.modalities):
                return False
        if not self.places:
            return True
        here = places(study.body_sites)
        return not any(allowed.isdisjoint(here) for allowed in self.places)


@dataclass(frozen=True)
class StudyScope:
    """One scope for ImagingStudy."""

    checks: tuple[StudyCheck, ...]
    kinds: Kinds


@lru_cache(maxsize=512)
def study_scopes(scopes: Scopes, letter: str) -> tuple[StudyScope, ...]:
    """The scopes that allow this interaction with an ImagingStudy; kept, since each request asks for its own again."""
    return tuple(_study_scope(scope) for scope in scopes.resources if scope.covers("ImagingStudy", letter))


@lru_cache(maxsize=512)
def report_scopes(scopes: Scopes, letter: str) -> tuple[tuple[ReportCheck, ...], ...]:
    """The scopes that allow this interaction with a DiagnosticReport, each as checks that must all hold."""
    told = [scope for scope in scopes.resources if scope.covers("DiagnosticReport", letter)]
    return tuple(tuple(_report_check(each) for each in scope.filters) for scope in told)


def holds(scope: ResourceScope, told: Mapping[str, Collection[str]]) -> bool:
    """Whether a resource whose parameters have these values (`system|code`) satisfies the token filters of a scope."""
    return all(_any(_wanted(scope.type, each), told.get(each.name, ())) for each in scope.filters)


def _study_scope(scope: ResourceScope) -> StudyScope:
    checks = tuple(_STUDY[each.name](each) for each in scope.filters if each.name in _STUDY)
    modalities = tuple(_modalities(each) for each in scope.filters if each.name == "modality")
    sites = tuple(_places(each) for each in scope.filters if each.name == "bodysite")
    return StudyScope(checks, Kinds(modalities, sites))


def _wanted(type_: str, filter_: Filter) -> tuple[Token, ...]:
    return tuple(token(type_, filter_.name, value) for value in filter_.values)


def _modalities(filter_: Filter) -> frozenset[str]:
    """DICOM's codes; a code of another system is none that a series can have."""
    own = token("ImagingStudy", "modality", "OT").system
    return frozenset(want.code for want in _wanted("ImagingStudy", filter_) if want.system == own)


def _places(filter_: Filter) -> frozenset[str]:
    """Of SNOMED CT only its numbers: `http://snomed.info/sct|CHEST` is no code."""
    wanted = _wanted("ImagingStudy", filter_)
    return places(
        want.code for want in wanted if want.system is None or (want.system == SNOMED and want.code.isdecimal())
    )


def _of_id(filter_: Filter) -> StudyCheck:
    ids = frozenset(filter_.values)

    def check(study: StudyFacts, shown: Shown) -> bool:
        return any(study_id(owner.provider, shown(study.uid)) in ids for owner in study.owners)

    return check


def _of_identifier(filter_: Filter) -> StudyCheck:
    wanted = _wanted("ImagingStudy", filter_)

    def check(study: StudyFacts, shown: Shown) -> bool:
        return _any(wanted, {f"{_UID_SYSTEM}|urn:oid:{shown(study.uid)}", *study.identifiers})

    return check


def _of_day(filter_: Filter) -> StudyCheck:
    meant = days.any_of(filter_.values)

    def check(study: StudyFacts, _shown: Shown) -> bool:
        return _on(meant, study.started)

    return check


def _of_status(filter_: Filter) -> StudyCheck:
    wanted = _own("ImagingStudy", filter_)

    def check(study: StudyFacts, _shown: Shown) -> bool:
        return study.status in wanted

    return check


_STUDY: Final[Mapping[str, Callable[[Filter], StudyCheck]]] = {
    "_id": _of_id,
    "identifier": _of_identifier,
    "started": _of_day,
    "status": _of_status,
}


def _report_check(filter_: Filter) -> ReportCheck:
    name = filter_.name
    if name == "date":
        return partial(_report_day, days.any_of(filter_.values))
    if name == "_id":
        return partial(_report_id, frozenset(filter_.values))
    if name == "status":
        return partial(_report_status, _own("DiagnosticReport", filter_))
    return partial(_report_code, name, _wanted("DiagnosticReport", filter_))


def _report_day(meant: days.Days, report: ReportKnown) -> bool:
    return _on(meant, report.date)


def _report_id(ids: frozenset[str], report: ReportKnown) -> bool:
    return report.id in ids


def _report_status(wanted: frozenset[str], report: ReportKnown) -> bool:
    return report.status in wanted


def _report_code(name: str, wanted: tuple[Token, ...], report: ReportKnown) -> bool:
    return _any(wanted, report.categories if name == "category" else report.code)


def _on(meant: days.Days, day: date | None) -> bool:
    return day is not None and days.holds(meant, day)


def _own(type_: str, filter_: Filter) -> frozenset[str]:
    """The codes of a status that are of its own system."""
    own = token(type_, "status", "unknown").system
    return frozenset(want.code for want in _wanted(type_, filter_) if want.system == own)


def _any(wanted: Collection[Token], told: Collection[str]) -> bool:
    """Whether any told `system|code` is wanted; a code without a system is of an unknown one."""
    for said in told:
        system, bar, code = said.rpartition("|")
        for want in wanted:
            if want.code == code and (want.system is None or (bool(bar) and want.system == system)):
                return True
    return False
