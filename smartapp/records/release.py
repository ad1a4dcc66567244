"""Whether a report may be shown yet: state law's delays, unconfirmed reports, a clinician's documented block. Pure.

A rule holds back only what it names: where the EHR does not say what a rule asks for, the report is shown, since the
record is the patient's own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from smartapp.identity.model import Principal, PrincipalKind
from smartapp.records.model import IndexedStudy, ReportLink, Withheld
from smartapp.settings import Delay, Jurisdiction


@dataclass(frozen=True)
class Released:
    """A study's reports, sorted by what may be shown; each in the study's order.

    One that had to wait counts as changed when its time had come: who asks what is new since then is told of it.
    """

    shown: tuple[ReportLink, ...]
    withheld: tuple[Withheld, ...]


Judge = Callable[[Principal, IndexedStudy], Released]
"""Tells of a study what may be shown to somebody now."""


def release(rules: Jurisdiction | None, study: IndexedStudy, kind: PrincipalKind, at: datetime) -> Released:
    """What of the study's reports may be shown at `at` (aware). Clinicians see what is held back from patients."""
    if rules is None or kind is PrincipalKind.CLINICIAN:
        return Released(study.reports, ())
    judged = [(report, withheld(rules, report, study.modalities, at)) for report in study.reports]
    return Released(
        tuple(_dated(rules, report, study.modalities) for report, held in judged if held is None),
        tuple(held for _, held in judged if held is not None),
    )


def withheld(rules: Jurisdiction, report: ReportLink, modalities: Sequence[str], at: datetime) -> Withheld | None:
    """Why the report is not shown at `at`, None if it is. A block is stronger than a date: it has none of its own."""
    if set(rules.blocks) & set(report.marks):
        return Withheld(report.id, "blocked")
    if report.status == "preliminary" and rules.preliminary == "held":
        return Withheld(report.id, "preliminary")
    until = _until(rules.delay, report, modalities)
    return Withheld(report.id, "delayed", until) if until is not None and at < until else None


def _dated(rules: Jurisdiction, report: ReportLink, modalities: Sequence[str]) -> ReportLink:
    until = _until(rules.delay, report, modalities)
    if until is None or report.updated is None or until <= report.updated:
        return report
    return replace(report, updated=until)


def _until(delays: Sequence[Delay], report: ReportLink, modalities: Sequence[str]) -> datetime | None:
    """The end of the longest delay that the report falls under."""
    if report.issued is None:
        return None
    hours = [delay.hours for delay in delays if _falls_under(delay, report, modalities)]
    return report.issued + timedelta(hours=max(hours)) if hours else None


def _falls_under(delay: Delay, report: ReportLink, modalities: Sequence[str]) -> bool:
    category = not delay.categories or bool(set(delay.categories) & set(report.categories))
    return category and (not delay.modalities or bool(set(delay.modalities) & set(modalities)))
