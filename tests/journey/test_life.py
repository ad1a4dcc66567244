"""Records as life brings them, through the whole product: Grace, Henry, Inês, and Ana at her second hospital."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pydicom
import pytest
import requests
from dicomweb_client.api import DICOMwebClient

from smartapp.dicomweb.core.multipart import read_parts
from smartapp.sandbox.pacs.orthanc.installation import find_orthanc
from smartapp.sandbox.scans.cache import default_cache, scans
from smartapp.sandbox.scans.dataset import sop_instance_uid
from smartapp.sandbox.world import Person, Study, build_world
from tests.sandbox.scans.judge import judge, verdict
from tests.support.parts import require
from tests.support.sandboxes import Sandbox, running
from tests.support.visitor import Visitor

__all__ = ["judge"]

WORLD = build_world()
HERE = WORLD.hospital("st-elsewhere")
ANYTHING = 'multipart/related; type="application/dicom"; transfer-syntax=*'
SHOWN = {
    "grace": HERE.person("grace").studies,
    "henry": HERE.person("henry").studies[::50],
    "ines": tuple(study for study in HERE.person("ines").studies if study.filed_under != "SE-4040"),
    "ben": HERE.person("ben").studies,
    "ana": HERE.person("ana").studies,
}
EVERY = [(name, study) for name, studies in SHOWN.items() for study in studies]


@pytest.fixture(scope="module", params=["embedded", "orthanc"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """The product before each kind of PACS."""
    if request.param == "orthanc":
        require("Orthanc", find_orthanc())
    with running("--pacs", request.param) as ready:
        yield ready


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scans(WORLD, default_cache(tmp_path_factory.mktemp("scans")))


@dataclass
class Record:
    """A patient's own record, opened from the hospital's portal; `home` is its address, `app` the product's origin."""

    visitor: Visitor
    home: str
    app: str

    def page(self, path: str) -> requests.Response:
        return self.visitor.open(f"{self.home}{path}").page

    def token(self, study: Study) -> dict[str, Any]:
        """What the viewer of the study's page is given."""
        page = self.page(f"/studies/{study.uid}")
        assert page.status_code == 200
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert found
        headers = {"Origin": self.app, "X-CSRF-Token": found[1]}
        answer = self.visitor.http.post(f"{self.home}/studies/{study.uid}/viewer-token", headers=headers, timeout=60)
        assert answer.status_code == 200
        told: dict[str, Any] = answer.json()
        return told


@dataclass
class Viewer:
    """A DICOMweb client with the token of one study."""

    token: str
    base: str

    def get(self, path: str, accept: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": accept}
        return requests.get(f"{self.base}{path}", headers=headers, timeout=60)

    def client(self) -> DICOMwebClient:
        session = requests.Session()
        session.auth = self._sign
        return DICOMwebClient(self.base, session=session)

    def _sign(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        prepared.headers["Authorization"] = f"Bearer {self.token}"
        return prepared


def opened(sandbox: Sandbox, person: Person, hospital: str = "st-elsewhere") -> Record:
    user = next(one for one in WORLD.hospital(hospital).users if one.patients == (person.id,))
    visitor = Visitor().open(sandbox["ehr"]["portal"].replace("st-elsewhere", hospital))
    visitor.submit(username=user.username, password=user.password)
    visitor.submit("My imaging")
    visitor.page.raise_for_status()
    return Record(visitor, visitor.page.url.partition("/studies")[0].rstrip("/"), sandbox["app"]["base"])


@pytest.fixture(scope="module")
def records(sandbox: Sandbox) -> dict[str, Record]:
    """The records of everybody at the first hospital, each opened in a browser of its own."""
    return {name: opened(sandbox, HERE.person(name)) for name in SHOWN}


def viewer(record: Record, study: Study) -> Viewer:
    told = record.token(study)
    return Viewer(told["token"], told["dicomweb"])


def as_filed(files: Path, study: Study, hospital: str = "st-elsewhere") -> dict[str, bytes]:
    """The PACS's files by SOP Instance UID, but with the preamble that we make zero (CVE-2019-11687)."""
    return {path.stem: bytes(128) + path.read_bytes()[128:] for path in (files / hospital / study.uid).rglob("*.dcm")}


def staff(sandbox: Sandbox, *arguments: str) -> list[dict[str, Any]]:
    """What `smartapp staff …` says, as the hospital's staff would run it."""
    config = Path(sandbox["data"], "app", "smartapp.toml")
    command = [sys.executable, "-m", "smartapp.cli", "--config", str(config), "staff", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def named(study: Study) -> str:
    return study.imaging_study_id


@pytest.mark.promise("A3")
@pytest.mark.promise("E4")
@pytest.mark.clause("PS3.18", "10.4")
@pytest.mark.parametrize(("name", "study"), EVERY, ids=[named(study) for _, study in EVERY])
def test_every_study_comes_as_it_is_filed(records: dict[str, Record], files: Path, name: str, study: Study) -> None:
    asked = viewer(records[name], study)
    filed = as_filed(files, study)
    found: dict[str, bytes] = {}
    with asked.get(f"/studies/{study.uid}", ANYTHING) as answer:
        assert answer.status_code == 200
        for part in read_parts([answer.content], answer.headers["Content-Type"]):
            body = b"".join(part.chunks)
            found[str(pydicom.dcmread(BytesIO(body), stop_before_pixels=True).SOPInstanceUID)] = body
    assert found == filed
    if len(filed) > 100:
        return  # once is enough for what takes seconds to parse
    sets = asked.client().retrieve_study(study.uid, media_types=(("application/dicom", "*"),))
    assert {each.SOPInstanceUID for each in sets} == set(filed)
    for each in sets:
        assert each == pydicom.dcmread(BytesIO(filed[each.SOPInstanceUID]))


@pytest.mark.promise("A3")
@pytest.mark.parametrize("study", HERE.person("grace").studies, ids=named)
def test_the_judge_finds_no_new_fault_in_what_comes(
    records: dict[str, Record], files: Path, tmp_path: Path, judge: Path, study: Study
) -> None:
    asked = viewer(records["grace"], study)
    for series in study.series:
        sop = sop_instance_uid(series, 1)
        answer = asked.get(f"/studies/{study.uid}/series/{series.uid}/instances/{sop}", ANYTHING)
        (part,) = [b"".join(part.chunks) for part in read_parts([answer.content], answer.headers["Content-Type"])]
        filed = (files / "st-elsewhere" / study.uid / series.uid / f"{sop}.dcm").read_bytes()
        assert verdict(judge, part, tmp_path) == verdict(judge, filed, tmp_path)


@pytest.mark.promise("A3")
@pytest.mark.parametrize(("name", "study"), EVERY, ids=[named(study) for _, study in EVERY])
def test_every_study_is_shown(records: dict[str, Record], name: str, study: Study) -> None:
    record = records[name]
    page = record.page(f"/studies/{study.uid}")
    assert page.status_code == 200
    thumbnails = re.findall(r'src="([^"]+/thumbnail)"', page.text)
    assert len(thumbnails) == sum(series.rows > 0 for series in study.series)
    for address in thumbnails:
        answer = record.visitor.http.get(urljoin(page.url, address), timeout=60)
        assert (answer.status_code, answer.content[:2]) == (200, b"\xff\xd8")
    if study.report:
        assert study.report.conclusion in unescape(page.text)
    asked = viewer(record, study)
    for series in study.series:
        at = f"/studies/{study.uid}/series/{series.uid}/instances/{sop_instance_uid(series, 1)}"
        answer = asked.get(f"{at}/rendered", "image/jpeg")
        assert (answer.status_code, answer.content[:2] == b"\xff\xd8") == ((200, True) if series.rows else (422, False))


@pytest.mark.promise("A2")
def test_eight_years_of_one_person_are_one_list(records: dict[str, Record]) -> None:
    page = records["grace"].page("/")
    assert page.text.count('class="study card"') == 12
    assert {str(year) for year in range(2018, 2027)} <= set(re.findall(r'class="year">(\d{4})<', page.text))


@pytest.mark.promise("A2")
def test_five_hundred_studies_are_all_there_page_by_page(records: dict[str, Record]) -> None:
    found: list[str] = []
    while True:
        page = records["henry"].page(f"/?page={len(found) // 50 + 1}")
        found += re.findall(r"/studies/([0-9.]+)\"", page.text)
        if 'rel="next"' not in page.text:
            break
    theirs = sorted(HERE.person("henry").studies, key=lambda study: study.started, reverse=True)
    assert list(dict.fromkeys(found)) == [study.uid for study in theirs]


@pytest.mark.promise("A2")
@pytest.mark.threat("A4")
def test_what_was_misfiled_is_withheld_said_and_told_to_the_staff(sandbox: Sandbox, records: dict[str, Record]) -> None:
    record = records["ines"]
    page = record.page("/")
    assert page.text.count('class="study card"') == 4
    assert "could not match to this record" in page.text
    assert "records office has been told" in page.text
    misfiled = next(study for study in HERE.person("ines").studies if study.filed_under == "SE-4040")
    assert misfiled.uid not in page.text
    assert record.page(f"/studies/{misfiled.uid}").status_code == 404
    with closing(sqlite3.connect(Path(sandbox["data"], "app", "smartapp.db"))) as database:
        rows = database.execute("SELECT severity FROM audit_events WHERE kind = 'records.unmatched'").fetchall()
    assert rows == [("high",)]


@pytest.mark.promise("A2")
@pytest.mark.promise("E1")
def test_what_was_misfiled_waits_on_the_staffs_worklist(sandbox: Sandbox, records: dict[str, Record]) -> None:
    for _ in range(2):
        assert records["ines"].page("/").status_code == 200
    [item] = staff(sandbox, "worklist", "--provider", "st-elsewhere", "--json")
    assert (item["kind"], item["state"]) == ("study-unmatched", "open")
    [shown] = staff(sandbox, "show", item["id"], "--as", "Rosa Records", "--json")
    misfiled = next(study for study in HERE.person("ines").studies if study.filed_under == "SE-4040")
    facts = shown["facts"]
    assert (shown["patient"], facts["subjects"], facts["patient_id"]) == ("ines", ["ines"], "SE-4040")
    assert (facts["uid"], facts["ours"]) == (misfiled.uid, ["SE-1007", "OLD-12", "SE-0431"])
    assert (facts["accessions"], facts["description"]) == ([misfiled.accession], misfiled.description)
    assert datetime.fromisoformat(facts["started"]) == datetime.fromisoformat(misfiled.started)
    with closing(sqlite3.connect(Path(sandbox["data"], "app", "smartapp.db"))) as database:
        looks = database.execute("SELECT kind FROM audit_events WHERE kind LIKE 'worklist.%' ORDER BY seq").fetchall()
    assert looks == [("worklist.opened",), ("worklist.listed",), ("worklist.shown",)]


@pytest.mark.promise("A2")
@pytest.mark.promise("A3")
def test_a_hospital_without_imaging_study_has_its_studies_from_the_pacs(sandbox: Sandbox, files: Path) -> None:
    person = WORLD.hospital("mercy").person("m-ana")
    (study,) = person.studies
    record = opened(sandbox, person, "mercy")
    page = record.page("/")
    assert page.text.count('class="study card"') == 1
    assert study.report is not None
    assert study.report.conclusion in record.page(f"/studies/{study.uid}").text
    sets = viewer(record, study).client().retrieve_study(study.uid, media_types=(("application/dicom", "*"),))
    assert {each.SOPInstanceUID for each in sets} == set(as_filed(files, study, "mercy"))
