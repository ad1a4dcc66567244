"""What the Consents on file say of one study or report, to one app. Pure.

Each provision is excepted by those nested in it. Where something cannot be told, every possible outcome counts: it is a
denial as soon as one of them is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final, Self

from smartapp.consent.directives.asking import Asker, asks_for, asks_so, is_actor
from smartapp.consent.directives.criteria import PERSON, Case, Criterion, criteria
from smartapp.consent.directives.model import Directive, Effect, Match, Provision
from smartapp.consent.facts import ReportKnown, StudyFacts

DENIES: Final = 1
PERMITS: Final = 2
SILENT: Final = 4
"""Outcomes; several are possible at once."""

_EFFECTS: Final = {Effect.DENY: DENIES, Effect.PERMIT: PERMITS, None: SILENT}


_NO_STUDY: Final = Case(PERSON, StudyFacts("", frozenset(), None, frozenset(), frozenset()))


@dataclass(frozen=True)
class _Node:
    """A provision that may speak to the app now: `sure` unless something in it cannot be told of the app."""

    effect: int
    sure: bool
    criteria: tuple[Criterion, ...]
    nested: tuple["_Node", ...]

    @property
    def may_deny(self) -> bool:
        """Whether it, or anything in it, could."""
        return self.effect == DENIES or any(each.may_deny for each in self.nested)


@dataclass(frozen=True, eq=False)
class Judge:
    """The directives, made ready for one app at one moment: those that could deny, with their ids."""

    rules: tuple[tuple[str, _Node], ...]

    @classmethod
    def of(cls, directives: tuple[Directive, ...], asker: Asker, at: datetime, zone: tzinfo) -> Self:
        """Everything that does not depend on a study is decided here, once."""
        nodes = ((each.id, _node(each.root, asker, at, zone)) for each in directives)
        return cls(tuple((id_, node) for id_, node in nodes if node is not None and node.may_deny))

    def of_study(self, study: StudyFacts) -> tuple[str, ...]:
        """The ids of the Consents that keep the study from the app; none: it is not kept."""
        return self._denying(Case("ImagingStudy", study)) if self.rules else ()

    def of_report(self, study: StudyFacts, report: ReportKnown | None) -> tuple[str, ...]:
        """As `of_study` for a report of it. None: one that is not named."""
        return self._denying(Case("DiagnosticReport", study, report)) if self.rules else ()

    def of_reports(self, study: StudyFacts) -> tuple[str, ...]:
        """The ids of the Consents that keep all reports of the study from the app; none: one at least is not kept."""
        if not self.rules:
            return ()
        each = [self.of_report(study, report) for report in study.reports] or [self.of_report(study, None)]
        return tuple(dict.fromkeys(id_ for ids in each for id_ in ids)) if all(each) else ()

    def of_person(self) -> tuple[str, ...]:
        """The ids of the Consents that keep even who the patient is from the app: those that keep everything."""
        return self._denying(_NO_STUDY) if self.rules else ()

    def _denying(self, case: Case) -> tuple[str, ...]:
        return tuple(id_ for id_, node in self.rules if outcomes(node, case) & DENIES)


def outcomes(node: _Node, case: Case) -> int:
    """All that the provision may come to for the case."""
    sure = node.sure
    for criterion in node.criteria:
        match = criterion(case)
        if match is Match.NO:
            return SILENT
        sure = sure and match is Match.YES
    inner = _excepted(node, case) if node.nested else node.effect
    return inner if sure else inner | SILENT


def _excepted(node: _Node, case: Case) -> int:
    """Where it speaks: what is nested decides, a denial first; where none of that speaks, its own effect."""
    each = [outcomes(nested, case) for nested in node.nested]
    found = DENIES if any(one & DENIES for one in each) else 0
    if all(one & ~DENIES for one in each):
        found |= PERMITS if any(one & PERMITS for one in each) else 0
        found |= node.effect if all(one & SILENT for one in each) else 0
    return found


def _node(provision: Provision, asker: Asker, at: datetime, zone: tzinfo) -> _Node | None:
    """None for one that does not speak to the app, or not now."""
    match = min(
        provision.period.at(at) if provision.period is not None else Match.YES,
        is_actor(asker, provision.actors),
        asks_so(provision.actions),
        asks_for(asker, provision.purposes),
    )
    if match is Match.NO:
        return None
    sure = match is Match.YES and not provision.unclear
    nested = tuple(_nodes(provision, asker, at, zone))
    return _Node(_EFFECTS[provision.effect], sure, tuple(criteria(provision, zone)), nested)


def _nodes(provision: Provision, asker: Asker, at: datetime, zone: tzinfo) -> Iterator[_Node]:
    for each in provision.nested:
        if (node := _node(each, asker, at, zone)) is not None:
            yield node
