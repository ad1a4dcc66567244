"""Which reports terms reach. Pure."""

from smartapp.consent.facts import ReportKnown, StudyFacts
from smartapp.consent.reach import Reach
from smartapp.records.model import ReportLink


def reached(reach: Reach, study: StudyFacts, report: ReportLink) -> bool:
    """Whether the app could find or read this report of the study."""
    known = ReportKnown(
        id=report.id,
        categories=frozenset(report.category_codings),
        code=frozenset(report.codings),
        date=report.effective.date() if report.effective else None,
        status=report.fhir_status,
    )
    return reach.report(study, known, "s") or reach.report(study, known, "r")
