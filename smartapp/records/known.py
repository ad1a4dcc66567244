"""All of a record at once, for choosing what to let others have: nothing more is asked than the index asks. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from smartapp.consent.directives.onfile import OnFile
from smartapp.consent.model import StudyFacts
from smartapp.records.model import ReportLink, StudySummary


@dataclass(frozen=True)
class Known:
    """The studies that the principal may see, newest first, by the facts they are judged by.

    `summaries` and `reports` (those shown now) are by Study Instance UID. `problems` as in `StudyList`: with any,
    there may be more.
    """

    studies: tuple[StudyFacts, ...]
    summaries: Mapping[str, StudySummary]
    reports: Mapping[str, tuple[ReportLink, ...]]
    problems: tuple[str, ...]
    unshowable: frozenset[str] = frozenset()
    """Studies (UIDs) that the app in question would not be shown, as no picture of theirs may be shown de-identified.
    """
    on_file: OnFile | None = None
    """The Consents that the hospital has on file; None where it is not asked for any."""
