"""A real DICOMweb client at the gateway, and behind it a real PACS: the bytes are those of the files."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests
from dicomweb_client.api import DICOMwebClient
from pydicom import dcmread

from smartapp.dicomweb.core.multipart import read_parts
from smartapp.dicomweb.core.render import RenderPool
from smartapp.sandbox.world import build_world
from smartapp.security.keyring import Keyring
from tests.fhir_upstream.fake_fhir import FakeFhir, bundle
from tests.gateway.app import MULTIPART
from tests.gateway.served import Served, served
from tests.sandbox.pacs.conftest import embedded_pacs, orthanc_pacs, pacs, scan_files
from tests.sandbox.pacs.servers import Pacs
from tests.support.databases import SqliteFiles

__all__ = ["embedded_pacs", "orthanc_pacs", "pacs", "scan_files"]

HEAD = build_world().hospital("st-elsewhere").people[0].studies[1]


@pytest.fixture
def gateway(
    sqlite_files: SqliteFiles, keyring: Keyring, tmp_path: Path, ehr: FakeFhir, pacs: Pacs, pool: RenderPool
) -> Iterator[Served]:
    password = tmp_path / "password"
    password.write_text(pacs.auth[1])
    hospital = {"dicomweb_auth": "basic", "dicomweb_user": pacs.auth[0], "dicomweb_password_file": password}
    identifiers = [{"system": "urn:mrn", "value": "SE-1001"}, {"system": "urn:old", "value": "OLD-77"}]
    ehr.at("Patient/ana", {"resourceType": "Patient", "id": "ana", "identifier": identifiers})
    ehr.at("ImagingStudy", bundle())
    ehr.at("DiagnosticReport", bundle())
    archive = cast("Any", SimpleNamespace(url=pacs.dicomweb, asked=[]))
    keys = tmp_path / "keys"
    with (
        sqlite_files.ready() as url,
        served(url, keys, ehr, archive, tmp_path, pool, HEAD.uid, hospital) as running,
    ):
        yield running


def _client(gateway: Served) -> DICOMwebClient:
    def sign(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        prepared.headers["Authorization"] = f"Bearer {gateway.token}"
        return prepared

    session = requests.Session()
    session.auth = sign
    return DICOMwebClient(gateway.dicomweb, session=session)


def _files(folder: Path) -> dict[str, bytes]:
    found = {}
    for path in (folder / "st-elsewhere").rglob("*"):
        if path.is_file() and HEAD.uid.encode() in (data := path.read_bytes())[:4096]:
            found[str(dcmread(BytesIO(data), stop_before_pixels=True).SOPInstanceUID)] = bytes(128) + data[128:]
    return found


@pytest.mark.promise("A3")
@pytest.mark.promise("E4")
def test_a_study_comes_as_the_pacs_holds_it(gateway: Served, scan_files: Path) -> None:
    expected = _files(scan_files)
    assert len(expected) == 32
    for _ in ("from the PACS", "from the cache"):
        with requests.get(
            f"{gateway.dicomweb}/studies/{HEAD.uid}",
            headers={"Authorization": f"Bearer {gateway.token}", "Accept": MULTIPART},
            timeout=60,
        ) as answer:
            parts = [b"".join(part.chunks) for part in read_parts([answer.content], answer.headers["Content-Type"])]
        found = {str(dcmread(BytesIO(part), stop_before_pixels=True).SOPInstanceUID): part for part in parts}
        assert found == expected


def test_a_dicomweb_client_works(gateway: Served, scan_files: Path) -> None:
    client = _client(gateway)
    sets = list(client.iter_study(HEAD.uid))
    assert sorted(each.SOPInstanceUID for each in sets) == sorted(_files(scan_files))
    series = HEAD.series[0].uid
    (row,) = client.search_for_studies(search_filters={"StudyInstanceUID": HEAD.uid})
    assert row["00081190"]["Value"] == [f"{gateway.dicomweb}/studies/{HEAD.uid}"]
    assert len(client.retrieve_series_metadata(HEAD.uid, series)) == 32
    (frame,) = list(client.iter_instance_frames(HEAD.uid, series, sets[0].SOPInstanceUID, [1]))
    assert frame == sets[0].PixelData


@pytest.mark.promise("A2")
def test_the_list_and_the_page_are_filled_from_a_real_pacs(gateway: Served) -> None:
    desk = gateway.desk
    principal = desk.principal()
    found = desk.records.studies(principal, "req")
    assert {each.uid for each in found.studies} == {
        study.uid for study in build_world().hospital("st-elsewhere").people[0].studies
    }
    assert (found.problems, found.unmatched) == ((), 0)
    (series,) = desk.records.study(principal, HEAD.uid, "req").series
    assert (series.instance_count, series.modality, series.pictures) == (32, "CT", True)
    assert [each.number for each in desk.records.instances(principal, HEAD.uid, series.uid, "req")] == list(
        range(1, 33)
    )
    assert desk.records.thumbnail(principal, HEAD.uid, series.uid, None, "req").startswith(b"\xff\xd8")
