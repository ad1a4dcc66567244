"""What an app may learn of a patient's index: by its reach, the hospital's Consents and the release rules. Pure.

It is computed from the index and never from an id that was asked for: so what lies outside looks like what does not
exist, and nobody upstream is asked about it (threats A14, A24).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, cached_property, partial
from typing import Final

from smartapp.consent.aliases import shown_uid, study_id
from smartapp.consent.bodysites import SNOMED, places
from smartapp.consent.directives.onfile import keeping_report, keeping_study
from smartapp.consent.facts import SeriesFacts, StudyFacts
from smartapp.consent.model import AppPrincipal
from smartapp.consent.reach import Reach
from smartapp.dicomweb.core.dicomjson import Row, get
from smartapp.records.contents import is_paper_modality
from smartapp.records.model import IndexedStudy, ReportLink, StudyIndex
from smartapp.records.pictures import only_deidentified, shown_to
from smartapp.records.release import Judge
from smartapp.records.resources.ids import form_id
from smartapp.records.resources.model import FormItem, PlainItem, ReportItem, StudyItem, Token
from smartapp.records.resources.since import Since

_ANY_SITE: Final[frozenset[str]] = frozenset()


class Sight:
    """One app's view of one index, for reading (`letter` r) or searching (s)."""

    def __init__(
        self, principal: AppPrincipal, index: StudyIndex, reach: Reach, released: Judge, since: Since, letter: str
    ) -> None:
        self._principal = principal
        self._index = index
        self._reach = reach
        self._released = released
        self._since = since
        self._letter = letter

    @cached_property
    def studies(self) -> dict[str, StudyItem]:
        """The visible studies by our ids, newest first."""
        found = (self._study(study) for study in self._index.studies if self.sees(study))
        return {item.id: item for item in found}

    @cached_property
    def reports(self) -> dict[str, ReportItem]:
        """The visible reports by their ids, those of the newest studies first."""
        return {item.id: item for item in self._reports if self._reads(item, self._letter)}

    @cached_property
    def _reports(self) -> list[ReportItem]:
        """All reports, with the studies that each belongs to."""
        belonging: dict[str, list[tuple[ReportLink, IndexedStudy]]] = {}
        for study in self._index.studies:
            shown = {link.id: link for link in self._released(self._principal, study).shown}
            for link in study.reports:
                belonging.setdefault(link.id, []).append((shown.get(link.id, link), study))
        return [
            ReportItem(_latest([link for link, _ in each]), tuple(study for _, study in each))
            for each in belonging.values()
        ]

    @property
    def hidden_reports(self) -> int:
        """How many reports are not visible."""
        return len(self._reports) - len(self.reports)

    @property
    def hidden_studies(self) -> int:
        """How many studies of the patient are not visible."""
        return sum(study.owned for study in self._index.studies) - len(self.studies)

    @cached_property
    def forms(self) -> dict[str, FormItem]:
        """The files of visible reports, by our ids."""
        provider = self._principal.patient.provider
        found = (
            FormItem(form_id(provider, report.id, form.index), report, form)
            for report in self.reports.values()
            for form in report.link.forms
        )
        return {item.id: item for item in found}

    def people(self, type_: str) -> dict[str, PlainItem]:
        """Who is named as performer of a report that may be read or searched, of one type, by the EHR's ids."""
        named: dict[str, tuple[IndexedStudy, ...]] = {}
        for report in (item for item in self._reports if self._reads(item, "r") or self._reads(item, "s")):
            for reference in report.link.performers:
                if reference.startswith(f"{type_}/"):
                    named.setdefault(reference, report.studies)
        found = (PlainItem(each.partition("/")[2], reference=each, behind=studies) for each, studies in named.items())
        return {item.id: item for item in found}

    def sees(self, study: IndexedStudy) -> bool:
        """Whether it may learn of the study."""
        shown = shown_to(self._principal, study)
        if shown is None:
            return False
        facts = self._facts(shown)
        return study.owned and self._reach.study(facts, self._letter) and not keeping_study(*self._asker, facts)

    def sees_series(self, study: IndexedStudy, series: SeriesFacts) -> bool:
        """Whether it may learn of a series of the study: of documents not before all of its reports are shown."""
        if is_paper_modality(series.modality) and self._released(self._principal, study).withheld:
            return False
        return self._reach.series(self._facts(study), series, self._letter)

    def study_ids(self, item: ReportItem) -> list[str]:
        """Our ids of a report's studies, those that the app may learn of."""
        return [self._id(study) for study in item.studies if self.sees(study)]

    def _reads(self, item: ReportItem, letter: str) -> bool:
        """A report is visible when each of its studies lets it be: it may say of one what is hidden of another."""
        if item.link.names_others:
            return False
        return all(study.owned and self._lets_read(study, item.link.id, letter) for study in item.studies)

    def _lets_read(self, study: IndexedStudy, report_id: str, letter: str) -> bool:
        shown = next((link for link in self._released(self._principal, study).shown if link.id == report_id), None)
        if shown is None:
            return False
        facts = self._facts(study)
        return self._reach.report(facts, shown.known, letter) and not keeping_report(*self._asker, facts, shown.known)

    @cached_property
    def _asker(self) -> tuple[str, str]:
        """As Consents on file may name it."""
        return self._principal.client_id, self._principal.terms.purpose

    def _facts(self, study: IndexedStudy) -> StudyFacts:
        return study.facts(self._principal.patient)

    def _study(self, study: IndexedStudy) -> StudyItem:
        shown = shown_to(self._principal, study) or study
        modalities, sites = self._kinds(shown)
        return StudyItem(
            id=self._id(study),
            uid=shown_uid(self._principal, study.uid),
            study=study,
            modalities=tuple(modalities),
            sites=tuple(_site(code) for code in sites),
            since=cache(partial(self._changed, shown)),
        )

    def _changed(self, study: IndexedStudy) -> datetime | None:
        """What may be seen of it alone counts, where series decide; a place is the same by whichever of its names."""
        if not self._by_series:
            return study.updated
        seen = [[row, self._count(study, row)] for row in study.held if self.sees_series(study, study.series_of(row))]
        modalities, sites = self._kinds(study)
        kinds = [sorted(modalities), sorted(places(sites))]
        return self._since(self._principal, study.uid, [study.status, study.started, study.description, *kinds, seen])

    @property
    def _by_series(self) -> bool:
        """Whether some of a study's series may be hidden."""
        return self._reach.by_kind or only_deidentified(self._principal)

    @staticmethod
    def _count(study: IndexedStudy, row: Row) -> int | None:
        """How many instances of it may be shown, where that is not all."""
        told = (study.pictures or {}).get(get(row, "SeriesInstanceUID"))
        return told.showable if told is not None else None

    def _kinds(self, study: IndexedStudy) -> tuple[Iterable[str], Iterable[str]]:
        """The modalities and places of what may be seen of the study: by its series, where they decide and are told."""
        facts = self._facts(study)
        if facts.series and self._by_series:
            seen = [each for each in facts.series if self.sees_series(study, each)]
            modalities = dict.fromkeys(each.modality for each in seen if each.modality)
            return modalities, dict.fromkeys(site for each in seen for site in sorted(each.body_sites))
        return (
            [one for one in study.modalities if self._may_hold(study, {one}, study.body_sites)],
            [code for code in study.body_sites if self._may_hold(study, study.modalities, {code})],
        )

    def _id(self, study: IndexedStudy) -> str:
        return study_id(self._principal.patient.provider, shown_uid(self._principal, study.uid))

    def _may_hold(self, study: IndexedStudy, modalities: Iterable[str], sites: Iterable[str]) -> bool:
        """Whether a series of one of these kinds and places would be visible: the study's own are not asked for here,
        so that a list costs the archive nothing.
        """
        return any(self.sees_series(study, each) for each in _possible(modalities, sites))


def _latest(links: Sequence[ReportLink]) -> ReportLink:
    """One report, as several studies have it: it changed when it did last for one of them."""
    told = [link.updated for link in links if link.updated is not None]
    return replace(links[0], updated=max(told, default=None))


def _possible(modalities: Iterable[str], sites: Iterable[str]) -> Iterator[SeriesFacts]:
    for modality in modalities:
        yield SeriesFacts("", modality, _ANY_SITE)
        for site in sites:
            yield SeriesFacts("", modality, frozenset({site}))


def _site(code: str) -> Token:
    return (SNOMED, code) if code.isdecimal() else ("", code)
