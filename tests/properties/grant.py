"""What a grant reaches in a wing, reckoned by brute force: the reference that answers are held against."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from smartapp.settings import Jurisdiction
from tests.properties.consents import Denial
from tests.properties.hospital import Finding, Wing
from tests.properties.release import STATUSES, ends, waits
from tests.properties.scans import SITES, Scan, Series

Kind = Callable[[Series], bool]
Of = Callable[[Scan], bool]


@dataclass(frozen=True)
class Scope:
    """A token's scope, and what it means: for studies by alternatives (of the study, of its series), for reports by
    their category. `named`: it speaks of modalities or parts of the body.
    """

    text: str
    studies: tuple[tuple[Of, Kind], ...] = ()
    categories: frozenset[str] = frozenset()
    named: bool = False


def _any(_one: object) -> bool:
    return True


def _ct(one: Series) -> bool:
    return one.modality == "CT"


def _head(one: Series) -> bool:
    return one.site == "HEAD"


_BOTH = frozenset({"RAD", "LAB"})
_REST = "patient/Patient.rs patient/Practitioner.rs patient/DocumentReference.rs"
SCOPES = (
    Scope("patient/*.rs", ((_any, _any),), _BOTH),
    Scope(f"patient/ImagingStudy.rs?modality=CT patient/DiagnosticReport.rs {_REST}", ((_any, _ct),), _BOTH, True),
    Scope(
        "patient/ImagingStudy.rs?modality=CT&started=ge2026 patient/ImagingStudy.rs?bodysite=69536005",
        ((lambda scan: scan.day >= "2026", _ct), (_any, _head)), named=True,
    ),
    Scope(
        f"patient/ImagingStudy.rs?started=lt2026 patient/DiagnosticReport.rs?category=RAD {_REST}",
        ((lambda scan: scan.day < "2026", _any),), frozenset({"RAD"}),
    ),
)  # fmt: skip


@dataclass
class Allowed:
    """A grant with a token's scope over a wing, as the test knows them, at the moment that `now` tells; `terms` as
    `consent.grants.model.Terms` has them. `rules` are the hospital's, of when reports are shown.
    """

    scope: Scope
    wing: Wing
    rules: Jurisdiction
    now: Callable[[], datetime]
    terms: dict[str, Any] = field(default_factory=dict)

    @property
    def deidentified(self) -> bool:
        return bool(self.terms.get("images") == "deidentified")

    @property
    def by_kind(self) -> bool:
        return self.scope.named or bool(self.terms.get("modalities") or self.terms.get("body_sites"))

    @property
    def person(self) -> bool:
        """Whether it may be known who the patient is."""
        return not any(each.keeps_person for each in self._denials())

    def series(self, scan: Scan) -> tuple[Series, ...]:
        """The series of a study that are reached: no documents while one of its reports waits."""
        waits = self._something_waits(scan)
        return tuple(each for each in self._reached(scan) if not (waits and each.modality == "SR"))

    def shown(self, scan: Scan) -> tuple[Series, ...]:
        """Those of which at least one instance may be had."""
        return tuple(each for each in self.series(scan) if self.sops(each))

    def sops(self, series: Series) -> tuple[str, ...]:
        """The instances of a reached series that may be had."""
        return series.showable if self.deidentified else series.sops

    def study(self, scan: Scan) -> bool:
        """Whether the study may be known of."""
        kinds = [kind for of, kind in self.scope.studies if of(scan)]
        if scan.misfiled or not (scan.archived or scan.told is not None) or not kinds or not self._granted(scan):
            return False
        if any(each.keeps_study(scan.uid, self.wing.labels_of(scan)) for each in self._denials()):
            return False
        if scan.archived and self.deidentified:
            return any(map(self.sops, self._reached(scan)))
        return bool(self._reached(scan)) if scan.archived and self.by_kind else self._told(scan, kinds)

    def whole(self, scan: Scan) -> bool:
        """Whether nothing of the study is held back."""
        return all(each in self.series(scan) and self.sops(each) == each.sops for each in scan.there)

    def finding(self, id_: str) -> bool:
        """Whether the report may be known of: each study that it belongs to has to let it be."""
        found = self.wing.findings.get(id_)
        if found is None or not self.terms.get("reports", True) or found.category not in self.scope.categories:
            return False
        if found.status not in STATUSES:
            return False
        of = [scan for scan in self.wing.scans.values() if scan.uid in found.of and scan.told is not None]
        return bool(of) and all(self._lets_read(scan, found) for scan in of)

    def view(self) -> Hashable:
        """All that an answer may depend on. What is not in here must change no byte of any answer."""
        wing = self.wing
        studies = tuple(self._seen(scan) for scan in wing.scans.values() if self.study(scan))
        findings = tuple(
            (
                each,
                self._since(each),
                tuple(uid for uid in each.of if uid in wing.scans and self.study(wing.scans[uid])),
            )
            for each in wing.findings.values()
            if self.finding(each.id)
        )
        return studies, findings, self.person

    def _seen(self, scan: Scan) -> Hashable:
        """A study counts as changed when what the EHR tells of it does, or what the archive counts while something of
        it waits; unless series decide.
        """
        told = tuple(each for each in scan.told or () if self._kind(each) and self._scoped(scan, each))
        by_series = self.by_kind or self.deidentified
        heard = scan.told if not by_series else () if scan.archived else told
        labels = frozenset() if by_series else self.wing.labels_of(scan)
        counted = scan.series if self._something_waits(scan) and not by_series else ()
        return scan.uid, scan.day, scan.archived, self.shown(scan), self.whole(scan), heard, labels, counted

    def _since(self, finding: Finding) -> Hashable:
        """A report that had to wait is new when its time has come."""
        told = [scan for scan in self.wing.scans.values() if scan.uid in finding.of and scan.told is not None]
        until = (ends(self.rules, finding, scan) for scan in told)
        return max((each for each in until if each is not None), default=None)

    def _reached(self, scan: Scan) -> tuple[Series, ...]:
        if not self._granted(scan):
            return ()
        return tuple(each for each in scan.there if self._kind(each) and self._scoped(scan, each))

    def _denials(self) -> list[Denial]:
        return [each for each in self.wing.consents.values() if each.speaks(self.now())]

    def _something_waits(self, scan: Scan) -> bool:
        return any(self._waits(each, scan) for each in self.wing.findings_of(scan) if each.status in STATUSES)

    def _waits(self, finding: Finding, scan: Scan) -> bool:
        return waits(self.rules, finding, scan, self.now())

    def _lets_read(self, scan: Scan, finding: Finding) -> bool:
        if scan.misfiled or not self._granted(scan) or self._waits(finding, scan):
            return False
        if any(each.keeps_report(finding.id, self.wing.labels_of(scan)) for each in self._denials()):
            return False
        return any(map(self._kind, scan.series)) if scan.archived and self.by_kind else self._told(scan, [_any])

    def _granted(self, scan: Scan) -> bool:
        chosen, first = self.terms.get("chosen"), self.terms.get("started_from")
        day = date(int(scan.day[:4]), int(scan.day[4:6]), int(scan.day[6:]))
        ordinary = scan.uid in self.terms.get("sensitive", ()) or self.wing.labels_of(scan) <= {"L"}
        return (chosen is None or scan.uid in chosen) and (first is None or day >= first) and ordinary

    def _kind(self, each: Series) -> bool:
        modalities, sites = self.terms.get("modalities"), self.terms.get("body_sites")
        return (not modalities or each.modality in modalities) and (not sites or SITES[each.site] in sites)

    def _scoped(self, scan: Scan, each: Series) -> bool:
        return any(of(scan) and kind(each) for of, kind in self.scope.studies)

    def _told(self, scan: Scan, kinds: list[Kind]) -> bool:
        """As the EHR tells it, of a study that the archive does not have."""
        told = scan.told or ()
        return not self.by_kind or any(self._kind(each) and kind(each) for each in told for kind in kinds)
