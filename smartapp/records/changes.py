"""When studies and reports changed last, as far as we saw: neither QIDO nor every EHR says. Pure.

It is told as FHIR's `lastUpdated`: an app that asks what is new since then misses nothing, and may be told too much.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from smartapp.records.model import IndexedStudy, ReportLink, StudyIndex


def dated(index: StudyIndex, old: StudyIndex | None) -> StudyIndex:
    """`index` with `updated` filled in: the moment of `old` where nothing differs from it, else that of the fetch."""
    known = {study.uid: study for study in old.studies} if old is not None else {}
    return replace(
        index, studies=tuple(_study(study, known.get(study.uid), index.fetched_at) for study in index.studies)
    )


def _study(study: IndexedStudy, before: IndexedStudy | None, now: datetime) -> IndexedStudy:
    """A study's reports have dates of their own: a report that comes does not change the study."""
    earlier = {report.id: report for report in before.reports} if before is not None else {}
    reports = tuple(_report(report, earlier, now) for report in study.reports)
    if before is not None and replace(before, reports=(), updated=None) == replace(study, reports=(), updated=None):
        return replace(study, reports=reports, updated=before.updated)
    return replace(study, reports=reports, updated=now)


def _report(report: ReportLink, earlier: Mapping[str, ReportLink], now: datetime) -> ReportLink:
    if report.updated is not None:
        return report
    before = earlier.get(report.id)
    if before is not None and replace(before, updated=None) == report:
        return replace(report, updated=before.updated)
    return replace(report, updated=now)
