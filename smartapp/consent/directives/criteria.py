"""What of the record a provision speaks of: kinds, codes, labels, dates, single resources. Pure.

Each test answers for one study or report; a fact that is not known is MAYBE.
"""

from collections.abc import Callable, Iterator
from datetime import tzinfo
from typing import Final, NamedTuple

from smartapp.consent.bodysites import SNOMED, place, places
from smartapp.consent.directives.model import Datum, Effect, Match, Provision, Span, Token
from smartapp.consent.directives.moments import on_day
from smartapp.consent.facts import ReportKnown, StudyFacts
from smartapp.consent.labels import CONFIDENTIALITY, is_sensitive

DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_TYPES: Final = frozenset({"http://hl7.org/fhir/resource-types", "http://hl7.org/fhir/fhir-types"})
PERSON: Final = "Patient"
_ANY: Final = frozenset({"Resource", "DomainResource"})
_NEAR: Final = {
    "ImagingStudy": frozenset({"Endpoint", "ImagingManifest", "Media"}),
    "DiagnosticReport": frozenset({"Binary", "Composition", "DocumentReference", "Media", "Observation"}),
    PERSON: frozenset({"Person", "RelatedPerson"}),
}
"""Types under which what a study or report holds may be known elsewhere."""
_RANKS: Final = "ULMNRV"
"""HL7 v3 Confidentiality, from unrestricted to very restricted."""
_NORMAL: Final = _RANKS.index("N")


class Case(NamedTuple):
    """A study, or one of its reports, or who the patient is (`PERSON`, of no study). `type` is `ImagingStudy` or
    `DiagnosticReport`; a report that is not named is any of the study's.
    """

    type: str
    study: StudyFacts
    report: ReportKnown | None = None


Criterion = Callable[[Case], Match]


def criteria(provision: Provision, zone: tzinfo) -> Iterator[Criterion]:
    """The tests that a study or report has to pass, all of them, for the provision to speak of it."""
    if provision.classes:
        yield _of_class(provision.classes)
    if provision.codes or provision.labels or provision.data_period is not None or provision.data:
        yield _of_no_person
    if provision.codes:
        yield _of_code(provision.codes)
    if provision.labels:
        yield _of_label(provision.labels, permits=provision.effect is Effect.PERMIT)
    if provision.data_period is not None:
        yield _of_period(provision.data_period, zone)
    if provision.data:
        yield _of_data(provision.data)


def _of_no_person(case: Case) -> Match:
    """What is narrowed to some examinations does not speak of who the patient is."""
    return Match.NO if case.type == PERSON else Match.YES


def _of_class(classes: tuple[Token, ...]) -> Criterion:
    told = {type_: max(_class(each, type_) for each in classes) for type_ in _NEAR}
    return lambda case: told[case.type]


def _class(token: Token, type_: str) -> Match:
    system, code = token
    if system not in _TYPES or not code:
        return Match.MAYBE
    if code == type_ or code in _ANY:
        return Match.YES
    return Match.MAYBE if code in _NEAR[type_] else Match.NO


def _of_code(codes: tuple[Token, ...]) -> Criterion:
    """R4: a code that is found in the resource. A kind or a place that is a part of it only, is MAYBE."""
    modalities = frozenset(code for system, code in codes if system == DCM and code)
    sites = frozenset(place(code) for system, code in codes if code and system in {SNOMED, DCM})
    whole = frozenset(f"{system}|{code}" for system, code in codes if system not in {"", SNOMED, DCM} and code)
    partly = frozenset(f"{system}|{code}" for system, code in codes if system in {SNOMED, DCM} and code)
    vague = Match.MAYBE if any(not (system and code) for system, code in codes) else Match.NO

    def check(case: Case) -> Match:
        study = case.study
        found = study.coded if case.type == "ImagingStudy" else case.report.coded if case.report is not None else None
        return max(vague, _found(found, whole, partly), _kinds(study, modalities), _places(study, sites))

    return check


def _found(coded: frozenset[str] | None, whole: frozenset[str], partly: frozenset[str]) -> Match:
    if coded is None:
        return Match.MAYBE if whole else Match.NO
    if not whole.isdisjoint(coded):
        return Match.YES
    return Match.NO if partly.isdisjoint(coded) else Match.MAYBE


def _kinds(study: StudyFacts, wanted: frozenset[str]) -> Match:
    if not wanted:
        return Match.NO
    here = study.modalities | {series.modality for series in study.series}
    return _covered(here, wanted)


def _places(study: StudyFacts, wanted: frozenset[str]) -> Match:
    if not wanted:
        return Match.NO
    return _covered(places(study.body_sites.union(*(series.body_sites for series in study.series))), wanted)


def _covered(here: frozenset[str], wanted: frozenset[str]) -> Match:
    if not here or "" in here:
        return Match.MAYBE
    if here <= wanted:
        return Match.YES
    return Match.NO if here.isdisjoint(wanted) else Match.MAYBE


def _of_label(labels: tuple[Token, ...], *, permits: bool) -> Criterion:
    """R4 has a permission for R reach what is labelled R or lower. A denial of R reaches R and higher, as it must mean:
    one that reached all that is lower, and not what is higher, would deny the harmless and leave the rest.
    """
    tests = [_label(each, permits=permits) for each in labels]

    def check(case: Case) -> Match:
        told = case.study.labels if case.report is None else case.study.labels | case.report.labels
        return max(test(told) for test in tests)

    return check


def _label(label: Token, *, permits: bool) -> Callable[[frozenset[str]], Match]:
    system, code = label
    if system in CONFIDENTIALITY and code and code in _RANKS:
        return _permitted_to(_RANKS.index(code)) if permits else _denied_from(_RANKS.index(code))
    if not (system and code) or system in CONFIDENTIALITY:
        return lambda _told: Match.MAYBE
    wanted, of_system = f"{system}|{code}", f"{system}|"

    def check(told: frozenset[str]) -> Match:
        if wanted in told:
            return Match.YES
        near = [each for each in told if each.startswith((of_system, "|"))]
        return Match.MAYBE if is_sensitive(near) else Match.NO  # the one may be a kind of the other

    return check


def _denied_from(rank: int) -> Callable[[frozenset[str]], Match]:
    def check(told: frozenset[str]) -> Match:
        ranks = _ranks(told)
        if max((each for each in ranks if each is not None), default=_NORMAL) >= rank:
            return Match.YES
        return Match.MAYBE if None in ranks else Match.NO

    return check


def _permitted_to(rank: int) -> Callable[[frozenset[str]], Match]:
    """What has no such label is not said to be harmless; a label of another kind may ask for more."""

    def check(told: frozenset[str]) -> Match:
        ranks = _ranks(told)
        known = [each for each in ranks if each is not None]
        if any(each > rank for each in known):
            return Match.NO
        others = [each for each in told if each.rpartition("|")[0] not in CONFIDENTIALITY]
        return Match.YES if known and None not in ranks and not is_sensitive(others) else Match.MAYBE

    return check


def _ranks(told: frozenset[str]) -> list[int | None]:
    """The confidentialities among the labels; None for one that is no known rank."""
    found = (each.rpartition("|") for each in told)
    codes = [code for system, _, code in found if system in CONFIDENTIALITY or not system]
    return [_RANKS.index(code) if code and code in _RANKS else None for code in codes]


def _of_period(span: Span, zone: tzinfo) -> Criterion:
    def check(case: Case) -> Match:
        told = on_day(span, case.study.started, zone)
        if case.report is None or case.report.date is None:
            return told
        own = on_day(span, case.report.date, zone)
        return told if told is own else Match.MAYBE

    return check


def _of_data(data: tuple[Datum, ...]) -> Criterion:
    def check(case: Case) -> Match:
        return max(_datum(each, case) for each in data)

    return check


def _datum(datum: Datum, case: Case) -> Match:
    if datum.meaning not in {"instance", "related", "dependents"} or not (datum.reference or datum.uid):
        return Match.MAYBE
    study = case.study
    is_study = datum.uid == study.uid if datum.uid else datum.reference in study.resources
    reports = [case.report] if case.report is not None else study.reports
    is_report = datum.reference in {f"DiagnosticReport/{each.id}" for each in reports}
    if is_study if case.type == "ImagingStudy" else is_report:
        return Match.YES
    if datum.meaning == "instance":
        return Match.NO
    known = datum.uid or datum.reference.partition("/")[0] in {"ImagingStudy", "DiagnosticReport"}
    return Match.MAYBE if is_study or is_report or not known else Match.NO
