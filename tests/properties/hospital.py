"""A hospital that can be changed step by step: what its EHR and its archive hold is one small model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian

from tests.dicomweb_upstream.archive import Archive, Asked, Reply, body, rows_reply
from tests.dicomweb_upstream.objects import CT, Made, dataset
from tests.fhir_upstream.fake_fhir import report, study
from tests.threats.hospital import Hospital, Record

Json = dict[str, Any]
SITES = {"CHEST": "51185008", "HEAD": "69536005"}
MRN = "SE-1001"
FOREIGN = "SE-1002"
MR = "1.2.840.10008.5.1.4.1.1.4"
PET = "1.2.840.10008.5.1.4.1.1.128"
SR = "1.2.840.10008.5.1.4.1.1.88.11"
CLASSES = {"CT": CT, "MR": MR, "PT": PET, "SR": SR}


@dataclass(frozen=True)
class Series:
    """`burned` are the instance numbers with a name in their pixels."""

    uid: str
    modality: str = "CT"
    site: str = "CHEST"
    count: int = 1
    burned: frozenset[int] = frozenset()

    def sop(self, number: int) -> str:
        return f"{self.uid}.{number}"

    @property
    def sops(self) -> tuple[str, ...]:
        return tuple(self.sop(number) for number in range(1, self.count + 1))

    @property
    def showable(self) -> tuple[str, ...]:
        """The instances that may be had de-identified."""
        if self.modality == "SR":
            return ()
        return tuple(self.sop(n) for n in range(1, self.count + 1) if n not in self.burned)


@dataclass(frozen=True)
class Scan:
    """A study. `told` are the series that the EHR tells of, None where it knows no such study; `held`: the archive has
    it; `misfiled`: the archive has it under another patient's number.
    """

    uid: str
    day: str
    series: tuple[Series, ...] = ()
    told: tuple[Series, ...] | None = None
    held: bool = True
    misfiled: bool = False
    label: str = ""

    @property
    def ehr_id(self) -> str:
        return f"i{self.uid.rpartition('.')[2]}"

    @property
    def archived(self) -> bool:
        """Whether the archive has such a study at all."""
        return self.held and bool(self.series)

    @property
    def stamp(self) -> tuple[str, int, int]:
        """What the archive counts."""
        return self.uid, len(self.series), sum(each.count for each in self.series)

    @property
    def there(self) -> tuple[Series, ...]:
        """What the archive has of it for this patient."""
        return self.series if self.archived and not self.misfiled else ()


@dataclass(frozen=True)
class Finding:
    """A report: of studies that the EHR knows, by their UIDs."""

    id: str
    of: tuple[str, ...]
    category: str = "RAD"
    words: str = "One nodule."
    performer: str = "dr"
    status: str = "final"


@dataclass
class Wing:
    """What one patient's record is made of; `show` tells EHR and archive."""

    scans: dict[str, Scan]
    findings: dict[str, Finding]
    foreign: int = 1

    def change(self, scan: Scan) -> None:
        self.scans[scan.uid] = scan

    def show(self, hospital: Hospital) -> None:
        record = hospital.records["ana"]
        record.studies[:] = [_study(scan) for scan in self.scans.values() if scan.told is not None]
        gone = {each["id"] for each in record.reports} - self.findings.keys()
        record.reports[:] = [_report(finding, self.scans) for finding in self.findings.values()]
        hospital.take_in(record)
        for id_ in gone:
            hospital.ehr.server.routes.pop(f"/fhir/DiagnosticReport/{id_}", None)
        ben = [study(f"b{n}", f"1.9.{n}", "Patient/ben") for n in range(self.foreign)]
        hospital.take_in(Record("ben", "Ben Canaryfor", FOREIGN, ben))
        hospital.archive.script = lambda asked: _answer(hospital.archive, self, asked)


def people(hospital: Hospital) -> None:
    """Who reads reports."""
    for id_, family in (("dr", "House"), ("dr2", "Wilson")):
        found = {"resourceType": "Practitioner", "id": id_, "name": [{"family": family}]}
        hospital.at(f"Practitioner/{id_}", lambda _asked, found=found: found, "ana")


def _study(scan: Scan) -> Json:
    told = scan.told or ()
    more: Json = {"meta": {"security": [_label(scan.label)]}} if scan.label else {}
    series = [
        {"uid": each.uid, "modality": {"code": each.modality}, "numberOfInstances": each.count,
         "bodySite": {"system": "http://snomed.info/sct", "code": SITES[each.site]}}
        for each in told
    ]  # fmt: skip
    return study(
        scan.ehr_id, scan.uid, started=f"{scan.day[:4]}-{scan.day[4:6]}-{scan.day[6:]}", series=series,
        numberOfSeries=len(told), numberOfInstances=sum(each.count for each in told),
        modality=[{"code": code} for code in sorted({each.modality for each in told})], **more,
    )  # fmt: skip


def _label(code: str) -> Json:
    return {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": code}


def _report(finding: Finding, scans: dict[str, Scan]) -> Json:
    told = [scans[uid] for uid in finding.of if uid in scans]
    return report(
        finding.id, imagingStudy=[{"reference": f"ImagingStudy/{scan.ehr_id}"} for scan in told],
        status=finding.status, conclusion=finding.words, effectiveDateTime="2026-09-17",
        performer=[{"reference": f"Practitioner/{finding.performer}"}],
        category=[{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": finding.category}]}],
        presentedForm=[{"contentType": "application/pdf", "title": finding.id, "data": "JVBERi0xLjQK"}],
        meta={"lastUpdated": "2026-09-17T12:00:00Z"},
    )  # fmt: skip


def _answer(archive: Archive, wing: Wing, asked: Asked) -> Reply:
    """Series by series as the model has them; another patient's studies besides."""
    parts = asked.path.removeprefix("/dicom-web/").split("/")
    named = dict(zip(parts[::2], parts[1::2], strict=False))
    scans = [scan for scan in wing.scans.values() if scan.archived and named.get("studies") in {None, scan.uid}]
    if asked.path.endswith("/studies"):
        rows = [_study_row(scan) for scan in scans] + [_foreign_row(n) for n in range(wing.foreign)]
        return rows_reply([row for row in rows if _meant(row, asked)])
    chosen = [(s, each) for s in scans for each in s.series if named.get("series") in {None, each.uid}]
    if asked.path.endswith("/series"):
        return rows_reply([_series_row(scan, each) for scan, each in chosen])
    objects = [
        _made(scan, each, number)
        for scan, each in chosen
        for number in range(1, each.count + 1)
        if named.get("instances") in {None, each.sop(number)}
    ]
    if asked.path.endswith("/metadata"):
        return rows_reply([_metadata(*one) for one in objects])
    return Reply(content=body(_file(*one) for one in objects)) if objects else Reply(404)


def _meant(row: Json, asked: Asked) -> bool:
    ids, uids = asked.query.get("PatientID"), asked.query.get("StudyInstanceUID")
    return (not ids or row["00100020"]["Value"][0] in ids) and (
        not uids or row["0020000D"]["Value"][0] in uids[0].split(",")
    )


def _row(**elements: tuple[str, str, object]) -> Json:
    return {tag: {"vr": vr, "Value": list(value) if isinstance(value, tuple) else [value]}
            for tag, vr, value in elements.values()}  # fmt: skip


def _study_row(scan: Scan) -> Json:
    modalities = tuple(sorted({each.modality for each in scan.series}))
    return _row(
        date=("00080020", "DA", scan.day), time=("00080030", "TM", "094200"),
        kinds=("00080061", "CS", modalities), words=("00081030", "LO", f"Scan {scan.uid}"),
        patient=("00100020", "LO", FOREIGN if scan.misfiled else MRN), issuer=("00100021", "LO", "ST-ELSEWHERE"),
        uid=("0020000D", "UI", scan.uid), series=("00201206", "IS", len(scan.series)),
        instances=("00201208", "IS", sum(each.count for each in scan.series)),
    )  # fmt: skip


def _foreign_row(n: int) -> Json:
    return _study_row(replace(Scan(f"1.9.{n}", "20260101", (Series(f"1.9.{n}.1"),)), misfiled=True))


def _series_row(scan: Scan, each: Series) -> Json:
    return _row(
        kind=("00080060", "CS", each.modality), words=("0008103E", "LO", f"Series {each.uid}"),
        study=("0020000D", "UI", scan.uid), uid=("0020000E", "UI", each.uid), site=("00180015", "CS", each.site),
        number=("00200011", "IS", int(each.uid.rpartition(".")[2])), count=("00201209", "IS", each.count),
    )  # fmt: skip


def _made(scan: Scan, each: Series, number: int) -> tuple[Made, str, str, str]:
    owner = FOREIGN if scan.misfiled else MRN
    burned = "YES" if number in each.burned else ""
    made = Made(each.sop(number), each.uid, scan.uid, owner, number=number, burned_in=burned)
    return made, each.modality, each.site, scan.day


def _object(made: Made, modality: str, site: str, day: str) -> Dataset:
    found = dataset(made)
    found.SOPClassUID, found.Modality, found.BodyPartExamined = UID(CLASSES[modality]), modality, site
    found.StudyDate = day
    return found


@cache
def _metadata(*made: Any) -> Json:
    row: Json = _object(*made).to_json_dict(
        bulk_data_threshold=1, bulk_data_element_handler=lambda _element: "http://pacs.invalid/b"
    )
    row["00083002"] = {"vr": "UI", "Value": [str(ExplicitVRLittleEndian)]}
    return row


@cache
def _file(*made: Any) -> bytes:
    found = _object(*made)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = found.SOPClassUID, found.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found.file_meta, found.preamble = meta, bytes(128)
    out = BytesIO()
    dcmwrite(out, found, enforce_file_format=True)
    return out.getvalue()


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
