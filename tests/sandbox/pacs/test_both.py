"""What the product may count on from either PACS: the same questions, the same answers."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import requests
from dicomweb_client.api import DICOMwebClient
from pydicom.dataset import Dataset

from smartapp.sandbox.scans.dataset import sop_instance_uid
from smartapp.sandbox.world import build_world
from tests.sandbox.pacs.servers import HOSPITAL, Pacs

ANA = build_world().hospital(HOSPITAL).people[0]
CHEST, HEAD, HAND, BRAIN, KNEE = ANA.studies
UNKNOWN = "2.25.1"


def client(pacs: Pacs) -> DICOMwebClient:
    session = requests.Session()
    session.auth = pacs.auth
    return DICOMwebClient(pacs.dicomweb, session=session)


def uids(rows: list[dict[str, Any]], tag: str) -> list[str]:
    return sorted(row[tag]["Value"][0] for row in rows)


@pytest.mark.clause("PS3.18", "8.3.4")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"PatientID": "SE-1001"}, ANA.studies),
        ({"00100020": "SE-1001"}, ANA.studies),
        ({"PatientID": "SE-1001", "ModalitiesInStudy": "CT"}, (CHEST, HEAD)),
        ({"PatientID": "SE-1001", "StudyDate": "20260901-20261231"}, (CHEST, HEAD, KNEE)),
        ({"PatientID": "SE-1001", "StudyDate": "-20240101"}, (BRAIN,)),
        ({"PatientID": "SE-1001", "StudyDate": "20250302"}, (HAND,)),
        ({"AccessionNumber": HEAD.accession}, (HEAD,)),
        ({"StudyInstanceUID": CHEST.uid}, (CHEST,)),
        ({"PatientID": "SE-1001", "IssuerOfPatientID": "ST-ELSEWHERE", "ModalitiesInStudy": "MR"}, (BRAIN,)),
        ({"PatientID": "SE-9999"}, ()),
    ],
)
def test_studies_are_found_by_their_attributes(pacs: Pacs, query: dict[str, str], expected: tuple[Any, ...]) -> None:
    rows = client(pacs).search_for_studies(search_filters=query)
    assert uids(rows, "0020000D") == sorted(study.uid for study in expected)


def test_a_study_row_says_what_a_list_needs(pacs: Pacs) -> None:
    (row,) = client(pacs).search_for_studies(
        search_filters={"StudyInstanceUID": CHEST.uid}, fields=["StudyDescription", "IssuerOfPatientID"]
    )
    found = Dataset.from_json(row)
    assert str(found.PatientName) == "Rivera^Ana María"
    assert (found.PatientID, found.IssuerOfPatientID) == ("SE-1001", "ST-ELSEWHERE")
    assert (found.StudyDate, found.AccessionNumber) == ("20260917", CHEST.accession)
    assert found.StudyDescription == CHEST.description
    assert found.ModalitiesInStudy == "CT"
    assert (int(found.NumberOfStudyRelatedSeries), int(found.NumberOfStudyRelatedInstances)) == (3, 600)


def test_limit_and_offset_turn_pages(pacs: Pacs) -> None:
    pages = [
        client(pacs).search_for_studies(search_filters={"PatientID": "SE-1001"}, limit=2, offset=offset)
        for offset in (0, 2, 4)
    ]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert uids([row for page in pages for row in page], "0020000D") == sorted(study.uid for study in ANA.studies)


def test_series_and_instances_of_a_study(pacs: Pacs) -> None:
    asked = client(pacs)
    assert uids(asked.search_for_series(CHEST.uid), "0020000E") == sorted(series.uid for series in CHEST.series)
    series = CHEST.series[1]
    rows = asked.search_for_instances(CHEST.uid, series.uid)
    assert uids(rows, "00080018") == sorted(sop_instance_uid(series, number) for number in range(1, 201))
    assert len(asked.search_for_instances(CHEST.uid)) == 600


@pytest.mark.clause("PS3.18", "10.6.1.1")
def test_series_are_found_over_all_studies_and_say_of_which_they_are(pacs: Pacs) -> None:
    rows = client(pacs).search_for_series(search_filters={"PatientID": "SE-1001"}, fields=["IssuerOfPatientID"])
    assert uids(rows, "0020000E") == sorted(series.uid for study in ANA.studies for series in study.series)
    assert {row["0020000D"]["Value"][0] for row in rows} == {study.uid for study in ANA.studies}
    assert {row["00100020"]["Value"][0] for row in rows} == {"SE-1001"}
    assert {row["00100021"]["Value"][0] for row in rows} == {"ST-ELSEWHERE"}


@pytest.mark.clause("PS3.18", "10.4.1.1.1")
def test_a_retrieved_study_equals_the_files(pacs: Pacs, scan_files: Path) -> None:
    files = {path.stem: path for path in (scan_files / HOSPITAL / HAND.uid).rglob("*.dcm")}
    found = client(pacs).retrieve_study(HAND.uid, media_types=(("application/dicom", "*"),))
    assert {instance.SOPInstanceUID for instance in found} == set(files)
    for instance in found:
        assert instance == pydicom.dcmread(files[instance.SOPInstanceUID])


def test_series_and_instance_bodies(pacs: Pacs, scan_files: Path) -> None:
    series = BRAIN.series[0]
    uid = sop_instance_uid(series, 7)
    asked = client(pacs)
    assert len(asked.retrieve_series(BRAIN.uid, series.uid)) == 24
    one = asked.retrieve_instance(BRAIN.uid, series.uid, uid)
    assert one == pydicom.dcmread(scan_files / HOSPITAL / BRAIN.uid / series.uid / f"{uid}.dcm")


@pytest.mark.parametrize("accept", ["", 'multipart/related; type="application/dicom"; transfer-syntax=*'])
def test_bodies_are_multipart_and_complete(pacs: Pacs, accept: str) -> None:
    answer = pacs.get(f"/studies/{KNEE.uid}", **({"Accept": accept} if accept else {}))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("multipart/related")
    boundary = answer.headers["Content-Type"].partition("boundary=")[2].partition(";")[0].strip('"')
    assert answer.content.rstrip().endswith(f"--{boundary}--".encode())
    assert answer.content.count(b"DICM") >= 1


@pytest.mark.clause("PS3.18", "F.2.6")
def test_metadata_is_the_header_without_the_pixels(pacs: Pacs, scan_files: Path) -> None:
    series = HAND.series[0]
    uid = sop_instance_uid(series, 2)
    # Not by the DICOMweb client: it sends a Host without the port, and from that the addresses are built.
    path = f"/studies/{HAND.uid}/series/{series.uid}/instances/{uid}/metadata"
    (row,) = pacs.get(path, Accept="application/dicom+json").json()
    header = pydicom.dcmread(scan_files / HOSPITAL / HAND.uid / series.uid / f"{uid}.dcm", stop_before_pixels=True)
    pixels = row.pop("7FE00010")
    assert "Value" not in pixels
    assert "InlineBinary" not in pixels
    found = Dataset.from_json({tag: value for tag, value in row.items() if not tag.startswith("0002")})
    for element in header:
        if element.keyword != "SpecificCharacterSet":
            assert found[element.tag].value == element.value, element.keyword
    assert pixels["BulkDataURI"].startswith(f"{pacs.dicomweb}/")
    assert pacs.get(pixels["BulkDataURI"].removeprefix(pacs.dicomweb)).status_code == 200


def test_study_and_series_metadata_cover_all_instances(pacs: Pacs) -> None:
    asked = client(pacs)
    assert len(asked.retrieve_study_metadata(BRAIN.uid)) == 48
    assert len(asked.retrieve_series_metadata(BRAIN.uid, BRAIN.series[1].uid)) == 24


@pytest.mark.clause("PS3.18", "10.4.1.1.6")
def test_frames_are_the_stored_pixels(pacs: Pacs, scan_files: Path) -> None:
    series = HEAD.series[0]
    uid = sop_instance_uid(series, 16)
    (frame,) = client(pacs).retrieve_instance_frames(
        HEAD.uid, series.uid, uid, [1], media_types=(("application/octet-stream", "*"),)
    )
    stored = pydicom.dcmread(scan_files / HOSPITAL / HEAD.uid / series.uid / f"{uid}.dcm")
    assert np.array_equal(np.frombuffer(frame, dtype="<i2").reshape(512, 512), stored.pixel_array)


@pytest.mark.parametrize(
    "path",
    [
        f"/studies/{UNKNOWN}/metadata",
        f"/studies/{CHEST.uid}/series/{UNKNOWN}/metadata",
        f"/studies/{CHEST.uid}/series/{CHEST.series[0].uid}/instances/{UNKNOWN}",
    ],
)
def test_what_is_not_there_is_404(pacs: Pacs, path: str) -> None:
    assert pacs.get(path).status_code == 404


@pytest.mark.parametrize("auth", [None, ("reader", "wrong"), ("somebody", "")])
def test_nobody_reads_without_the_account(pacs: Pacs, auth: tuple[str, str] | None) -> None:
    answer = requests.get(f"{pacs.dicomweb}/studies", auth=auth, timeout=30)
    assert answer.status_code == 401
    assert b"Rivera" not in answer.content
