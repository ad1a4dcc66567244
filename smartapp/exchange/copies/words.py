"""The words of a copy, in the language of whoever asked for it: handed in, as languages are chosen above this room."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from smartapp.records.model import SeriesSummary, StudySummary, Withheld


@dataclass(frozen=True, kw_only=True)
class ReportWords:
    """The headings of a report's page. `state` says in words what a FHIR status means; `withdrawn` if it is no more."""

    report: str
    conclusion: str
    findings: str
    full_text: str
    hospital_words: str
    parts_missing: str
    letters_missing: str
    state: Callable[[str], str]
    withdrawn: Callable[[str], bool]
    written_by: Callable[[str], str]
    issued: Callable[[datetime], str]


@dataclass(frozen=True, kw_only=True)
class Words:
    """Sentences, and functions that make one; those are called while the copy is planned, never while it streams.

    `whose` says of whom the record is, `taken` when a study was made, `withheld` and
    `papers` what may not be shown yet, `lines` are what the README tells about reading,
    checking and keeping the copy. `incomplete` and `unmatched` may be empty.
    """

    title: str
    whose: str
    made: str
    lines: tuple[str, ...]
    contents: str
    no_pictures: str
    missing: str
    incomplete: str
    unmatched: str
    study: Callable[[StudySummary], str]
    taken: Callable[[StudySummary], str]
    series: Callable[[SeriesSummary], str]
    withheld: Callable[[Withheld], str]
    papers: Callable[[int], str]
    report: ReportWords
