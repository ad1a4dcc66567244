"""What archives hold of a wing: as an archive of its own making answers, and as files."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from io import BytesIO
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian

from tests.dicomweb_upstream.archive import Asked, Reply, body, rows_reply
from tests.dicomweb_upstream.objects import CT, Made, dataset
from tests.properties.scans import FOREIGN, MRN, Scan, Series

Json = dict[str, Any]
MR = "1.2.840.10008.5.1.4.1.1.4"
PET = "1.2.840.10008.5.1.4.1.1.128"
SR = "1.2.840.10008.5.1.4.1.1.88.11"
CLASSES = {"CT": CT, "MR": MR, "PT": PET, "SR": SR}


def answer(held: Sequence[Scan], asked: Asked) -> Reply:
    """An archive that has these studies, series by series."""
    parts = asked.path.removeprefix("/dicom-web/").split("/")
    named = dict(zip(parts[::2], parts[1::2], strict=False))
    scans = [scan for scan in held if named.get("studies") in {None, scan.uid}]
    if asked.path.endswith("/studies"):
        return rows_reply([row for row in map(_study_row, scans) if _meant(row, asked)])
    chosen = [(s, each) for s in scans for each in s.series if named.get("series") in {None, each.uid}]
    if asked.path.endswith("/series"):
        return rows_reply([_series_row(scan, each) for scan, each in chosen])
    objects = [made for one in chosen for made in _objects(*one) if named.get("instances") in {None, made[0].sop}]
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


def _series_row(scan: Scan, each: Series) -> Json:
    return _row(
        kind=("00080060", "CS", each.modality), words=("0008103E", "LO", f"Series {each.uid}"),
        study=("0020000D", "UI", scan.uid), uid=("0020000E", "UI", each.uid), site=("00180015", "CS", each.site),
        number=("00200011", "IS", int(each.uid.rpartition(".")[2])), count=("00201209", "IS", each.count),
    )  # fmt: skip


def files(held: Sequence[Scan]) -> dict[str, bytes]:
    """All of it as DICOM files, each with a name that is another one where its contents are."""
    made = [one for scan in held for each in scan.series for one in _objects(scan, each)]
    return {f"{sha256(repr(one).encode()).hexdigest()}.dcm": _file(*one) for one in made}


def _objects(scan: Scan, each: Series) -> list[tuple[Made, str, str, str]]:
    return [_made(scan, each, number) for number in range(1, each.count + 1)]


def _made(scan: Scan, each: Series, number: int) -> tuple[Made, str, str, str]:
    owner = FOREIGN if scan.misfiled else MRN
    burned = "YES" if number in each.burned else ""
    made = Made(each.sop(number), each.uid, scan.uid, owner, number=number, burned_in=burned)
    return made, each.modality, each.site, scan.day


def _object(made: Made, modality: str, site: str, day: str) -> Dataset:
    found = dataset(made)
    found.SOPClassUID, found.Modality, found.BodyPartExamined = UID(CLASSES[modality]), modality, site
    found.StudyDate, found.SeriesNumber = day, int(made.series.rpartition(".")[2])
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
