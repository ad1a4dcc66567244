"""A hospital that can be changed step by step: what its EHR and its archive hold is one small model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tests.consent.directives.made import V3
from tests.fhir_upstream.fake_fhir import report, study
from tests.properties.archive import answer
from tests.properties.consents import Denial
from tests.properties.scans import FOREIGN, SITES, Scan, Series
from tests.threats.hospital import Hospital, Record

Json = dict[str, Any]
EFFECTIVE = "2026-09-17T12:00:00Z"
"""When every report's examination was: it counts where nobody says when a report was issued."""
NOPAT = ("http://terminology.hl7.org/CodeSystem/v3-ActCode", "NOPAT")
"""By what a clinician's block is known here."""


@dataclass(frozen=True)
class Finding:
    """A report: of studies that the EHR knows, by their UIDs. `mark`: a clinician has it wait, and says so by a `tag`
    or by a security `label`.
    """

    id: str
    of: tuple[str, ...]
    category: str = "RAD"
    words: str = "One nodule."
    performer: str = "dr"
    status: str = "final"
    issued: datetime | None = None
    mark: str = ""


@dataclass
class Wing:
    """What one patient's record is made of; `show` tells EHR and archive. `app` is the client id of who asks."""

    scans: dict[str, Scan]
    findings: dict[str, Finding]
    foreign: int = 1
    consents: dict[str, Denial] = field(default_factory=dict)
    app: str = ""

    def change(self, scan: Scan) -> None:
        self.scans[scan.uid] = scan

    def findings_of(self, scan: Scan) -> list[Finding]:
        """The reports that the EHR has of a study."""
        return [each for each in self.findings.values() if scan.uid in each.of] if scan.told is not None else []

    def labels_of(self, scan: Scan) -> frozenset[str]:
        """Its security labels, with those of its reports."""
        marks = {NOPAT[1] for each in self.findings_of(scan) if each.mark == "label"}
        return frozenset(marks | ({scan.label} if scan.label and scan.told is not None else set()))

    @property
    def held(self) -> list[Scan]:
        """All that is in the archive, somebody else's too."""
        others = [Scan(f"1.9.{n}", "20260101", (Series(f"1.9.{n}.1"),), misfiled=True) for n in range(self.foreign)]
        return [scan for scan in self.scans.values() if scan.archived] + others

    def show(self, hospital: Hospital) -> None:
        record = hospital.records["ana"]
        record.studies[:] = [_study(scan) for scan in self.scans.values() if scan.told is not None]
        gone = {each["id"] for each in record.reports} - self.findings.keys()
        record.reports[:] = [_report(finding, self.scans) for finding in self.findings.values()]
        record.consents[:] = [each.resource(id_, self.app) for id_, each in self.consents.items()]
        hospital.take_in(record)
        for id_ in gone:
            hospital.ehr.server.routes.pop(f"/fhir/DiagnosticReport/{id_}", None)
        ben = [study(f"b{n}", f"1.9.{n}", "Patient/ben") for n in range(self.foreign)]
        hospital.take_in(Record("ben", "Ben Canaryfor", FOREIGN, ben))
        hospital.archive.script = lambda asked: answer(self.held, asked)


def people(hospital: Hospital) -> None:
    """Who reads reports."""
    for id_, family in (("dr", "House"), ("dr2", "Wilson")):
        found = {"resourceType": "Practitioner", "id": id_, "name": [{"family": family}]}
        hospital.at(f"Practitioner/{id_}", lambda _asked, found=found: found, "ana")


def _study(scan: Scan) -> Json:
    told = scan.told or ()
    meta: Json = {"security": [_coding(V3, scan.label)]} if scan.label else {}
    meta |= {"tag": [_coding(*NOPAT)]} if scan.tagged else {}
    series = [
        {"uid": each.uid, "modality": {"code": each.modality}, "numberOfInstances": each.count,
         "bodySite": {"system": "http://snomed.info/sct", "code": SITES[each.site]}}
        for each in told
    ]  # fmt: skip
    return study(
        scan.ehr_id, scan.uid, started=f"{scan.day[:4]}-{scan.day[4:6]}-{scan.day[6:]}", series=series,
        numberOfSeries=len(told), numberOfInstances=sum(each.count for each in told),
        modality=[{"code": code} for code in sorted({each.modality for each in told})],
        meta=meta,
    )  # fmt: skip


def _coding(system: str, code: str) -> Json:
    return {"system": system, "code": code}


def _report(finding: Finding, scans: dict[str, Scan]) -> Json:
    told = [scans[uid] for uid in finding.of if uid in scans]
    more: Json = {"issued": finding.issued.isoformat()} if finding.issued is not None else {}
    marks = {"label": {"security": [_coding(*NOPAT)]}, "tag": {"tag": [_coding(*NOPAT)]}}
    return report(
        finding.id, imagingStudy=[{"reference": f"ImagingStudy/{scan.ehr_id}"} for scan in told],
        status=finding.status, conclusion=finding.words, effectiveDateTime=EFFECTIVE,
        performer=[{"reference": f"Practitioner/{finding.performer}"}],
        category=[{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": finding.category}]}],
        presentedForm=[{"contentType": "application/pdf", "title": finding.id, "data": "JVBERi0xLjQK"}],
        meta={"lastUpdated": EFFECTIVE, **marks.get(finding.mark, {})}, **more,
    )  # fmt: skip


def first_wing() -> Wing:
    """Four studies: told in full, of two kinds, only in the archive, only in the EHR; and three reports."""
    chest = Scan("1.2.1", "20260917", (Series("1.2.1.1"), Series("1.2.1.2", count=2)))
    both = Scan("1.2.2", "20250302", (Series("1.2.2.1", "PT", "HEAD"), Series("1.2.2.2", "CT", "HEAD")))
    alone = Scan("1.2.3", "20240105", (Series("1.2.3.1", "MR", "HEAD", 2, frozenset({2})),))
    word = Scan("1.2.4", "20230707", (), (Series("1.2.4.1", "CT", "CHEST"),), held=False)
    scans = [replace(chest, told=chest.series), replace(both, told=both.series), alone, word]
    findings = [
        Finding("r1", ("1.2.1",)),
        Finding("r2", ("1.2.2",), words="No uptake.", performer="dr2"),
        Finding("r3", ("1.2.1", "1.2.2"), category="LAB", words="Compared."),
    ]
    return Wing({scan.uid: scan for scan in scans}, {finding.id: finding for finding in findings})


def instances_of(scans: Iterable[Scan]) -> list[tuple[str, str, str]]:
    """All (study, series, instance) of the archive."""
    return [(scan.uid, each.uid, sop) for scan in scans for each in scan.series for sop in each.sops]
