"""Which reports terms reach. Pure."""

from smartapp.consent.facts import StudyFacts
from smartapp.consent.reach import Reach
from smartapp.records.model import ReportLink


def reached(reach: Reach, study: StudyFacts, report: ReportLink) -> bool:
    """Whether the app could find or read this report of the study."""
    return reach.report(study, report.known, "s") or reach.report(study, report.known, "r")
