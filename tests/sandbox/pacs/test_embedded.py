"""The embedded PACS alone: strictness that Orthanc lacks, and tokens of the EHR."""

import base64
import json
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from smartapp.sandbox.pacs.embedded.app import create_app
from smartapp.sandbox.pacs.embedded.config import ConfigError, load_config
from smartapp.sandbox.pacs.embedded.matching import matches
from smartapp.sandbox.scans.dataset import sop_instance_uid
from smartapp.sandbox.world import build_world
from tests.sandbox.pacs.servers import HOSPITAL

ANA, BEN = build_world().hospital(HOSPITAL).people[:2]
CHEST, HEAD, HAND, BRAIN, KNEE = ANA.studies
ROOT = f"/{HOSPITAL}/dicom-web"
BASIC = {"Authorization": f"Basic {base64.b64encode(b'reader:pass').decode()}"}
TOKENS: dict[str, dict[str, Any]] = {
    "ana": {"active": True, "scope": "openid patient/ImagingStudy.rs", "persons": ["ana"]},
    "lee": {"active": True, "scope": "user/*.read", "persons": ["ana", "ben"]},
    "service": {"active": True, "scope": "system/*.rs"},
    "nobody": {"active": True, "scope": "patient/*.rs", "persons": []},
    "stranger": {"active": True, "scope": "patient/*.rs", "persons": ["somebody"]},
    "reports": {"active": True, "scope": "patient/DiagnosticReport.rs", "persons": ["ana"]},
    "filtered": {"active": True, "scope": "patient/ImagingStudy.rs?modality=CT", "persons": ["ana"]},
    "search-only": {"active": True, "scope": "patient/ImagingStudy.s", "persons": ["ana"]},
    "ended": {"active": False},
}


class _Introspection(BaseHTTPRequestHandler):
    """RFC 7662 as the EHR answers it, for a client that knows its secret."""

    def do_POST(self) -> None:
        body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        known = self.headers["Authorization"] == f"Basic {base64.b64encode(b'pacs:secret').decode()}"
        answer = json.dumps(TOKENS.get(body["token"][0], {"active": False}) if known else {}).encode()
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Silence."""


@pytest.fixture(scope="module")
def ehr() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Introspection)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/introspect"
    server.shutdown()
    thread.join()
    server.server_close()


def configure(folder: Path, scan_files: Path, url: str) -> Path:
    archive = {
        "folder": str(scan_files / HOSPITAL),
        "user": "reader",
        "password": "pass",
        "introspection": {"url": url, "client_id": "pacs", "client_secret": "secret"},
        "patients": {"ana": ["SE-1001", "OLD-77"], "ben": ["SE-1002"]},
    }
    path = folder / "config.json"
    path.write_text(json.dumps({"hospitals": {HOSPITAL: archive}}))
    return path


@pytest.fixture(scope="module")
def pacs(tmp_path_factory: pytest.TempPathFactory, scan_files: Path, ehr: str) -> FlaskClient:
    return create_app(load_config(configure(tmp_path_factory.mktemp("pacs"), scan_files, ehr))).test_client()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def studies_seen(pacs: FlaskClient, headers: dict[str, str]) -> set[str]:
    answer = pacs.get(f"{ROOT}/studies", headers=headers)
    assert answer.status_code in {200, 204}
    return {row["0020000D"]["Value"][0] for row in answer.json or []} if answer.status_code == 200 else set()


def test_a_patient_token_reaches_that_patient_alone(pacs: FlaskClient) -> None:
    assert studies_seen(pacs, bearer("ana")) == {study.uid for study in ANA.studies}
    assert pacs.get(f"{ROOT}/studies/{BEN.studies[0].uid}/metadata", headers=bearer("ana")).status_code == 404
    assert pacs.get(f"{ROOT}/studies/{KNEE.uid}/metadata", headers=bearer("ana")).status_code == 200


def test_other_tokens_reach_what_the_ehr_says(pacs: FlaskClient) -> None:
    of_both = {study.uid for study in (*ANA.studies, *BEN.studies)}
    assert studies_seen(pacs, bearer("lee")) == of_both
    assert studies_seen(pacs, bearer("service")) > of_both
    assert studies_seen(pacs, bearer("nobody")) == set()
    assert studies_seen(pacs, bearer("stranger")) == set()


@pytest.mark.parametrize(
    ("token", "status"),
    [("ended", 401), ("unknown", 401), ("reports", 403), ("filtered", 403), ("search-only", 403)],
)
def test_tokens_that_do_not_cover_imaging_are_refused(pacs: FlaskClient, token: str, status: int) -> None:
    answer = pacs.get(f"{ROOT}/studies", headers=bearer(token))
    assert answer.status_code == status
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_an_ehr_that_is_down_is_503(tmp_path: Path, scan_files: Path) -> None:
    app = create_app(load_config(configure(tmp_path, scan_files, "http://127.0.0.1:9/introspect")))
    assert app.test_client().get(f"{ROOT}/studies", headers=bearer("ana")).status_code == 503


@pytest.mark.parametrize(
    "query",
    ["limit=-1", "limit=x", "limit=1&limit=2", "limit=²", "Nonsense=1", "00zz0020=1", "InstitutionName=x",
     "PatientID=a&00100020=b", "includefield=Nonsense"],
)  # fmt: skip
def test_queries_that_cannot_be_answered_are_400(pacs: FlaskClient, query: str) -> None:
    answer = pacs.get(f"{ROOT}/studies?{query}", headers=BASIC)
    assert answer.status_code == 400
    assert answer.mimetype == "text/plain"


def test_no_rows_are_204(pacs: FlaskClient) -> None:
    assert pacs.get(f"{ROOT}/studies?PatientID=none", headers=BASIC).status_code == 204


@pytest.mark.parametrize("path", ["/instances", f"/studies/{CHEST.uid}/thumbnail"])
def test_routes_that_are_not_offered_are_404(pacs: FlaskClient, path: str) -> None:
    assert pacs.get(f"{ROOT}{path}", headers=BASIC).status_code == 404


def test_an_unknown_hospital_is_404_before_anybody_is_asked_to_sign_in(pacs: FlaskClient) -> None:
    assert pacs.get("/nowhere/dicom-web/studies").status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_nothing_can_be_changed(pacs: FlaskClient, method: str) -> None:
    assert getattr(pacs, method)(f"{ROOT}/studies", headers=BASIC).status_code == 405


def test_each_step_of_a_path_is_looked_up_inside_the_one_before(pacs: FlaskClient) -> None:
    series = HAND.series[0]
    below = f"series/{series.uid}/instances/{sop_instance_uid(series, 1)}"
    for what in ("", "/metadata", "/frames/1", "/bulkdata/7FE00010"):
        assert pacs.get(f"{ROOT}/studies/{HAND.uid}/{below}{what}", headers=BASIC).status_code == 200
        assert pacs.get(f"{ROOT}/studies/{CHEST.uid}/{below}{what}", headers=BASIC).status_code == 404


@pytest.mark.parametrize(
    ("frames", "status"), [("1", 200), ("1,1", 200), ("0", 404), ("2", 404), ("x", 400), ("1,", 400)]
)
def test_frame_numbers(pacs: FlaskClient, frames: str, status: int) -> None:
    series = HAND.series[0]
    path = f"{ROOT}/studies/{HAND.uid}/series/{series.uid}/instances/{sop_instance_uid(series, 1)}/frames/{frames}"
    assert pacs.get(path, headers=BASIC).status_code == status


@pytest.mark.clause("PS3.18", "8.7.3")
@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200),
        ('multipart/related; type="application/dicom"', 200),
        ('multipart/related; type="application/dicom"; transfer-syntax=*', 200),
        ('multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.1', 200),
        ('multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.4.50', 406),
        ('multipart/related; type="image/jpeg"', 406),
        ("application/dicom", 406),
        ('text/html, multipart/related; type="application/dicom"', 200),
    ],
)
def test_only_what_is_stored_can_be_asked_for(pacs: FlaskClient, accept: str, status: int) -> None:
    answer = pacs.get(f"{ROOT}/studies/{KNEE.uid}", headers={**BASIC, "Accept": accept})
    assert answer.status_code == status


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"hospitals": {"a": {}}}', '{"hospitals": {"a": {"folder": 3}}}'])
def test_a_wrong_configuration_is_said(tmp_path: Path, content: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"config\.json"):
        load_config(path)


DATES = st.dates(date(1900, 1, 1), date(2100, 1, 1))


@given(DATES, DATES, DATES)
def test_date_ranges_are_inclusive_on_both_sides(day: date, first: date, last: date) -> None:
    header = Dataset()
    header.StudyDate = f"{day:%Y%m%d}"
    assert matches([header], {"StudyDate": f"{first:%Y%m%d}-{last:%Y%m%d}"}) == (first <= day <= last)


@given(
    st.text(
        st.characters(codec="ascii", exclude_characters="\\*?", categories=["L", "N", "P"]), min_size=1, max_size=16
    )
)
def test_a_value_without_wildcards_matches_itself_only(value: str) -> None:
    header = Dataset()
    header.AccessionNumber = value
    assert matches([header], {"AccessionNumber": value})
    assert matches([header], {"AccessionNumber": value[:-1] + "*"})
    assert not matches([header], {"AccessionNumber": value + "x"})


GRACE = {study.imaging_study_id: study for study in build_world().hospital(HOSPITAL).person("grace").studies}


def at(kind: str, series: int = 0) -> str:
    study = GRACE[f"img-grace-{kind}"]
    chosen = study.series[series]
    return f"{ROOT}/studies/{study.uid}/series/{chosen.uid}/instances/{sop_instance_uid(chosen, 1)}"


@pytest.mark.clause("PS3.18", "8.7.3.3")
@pytest.mark.parametrize(
    ("kind", "syntax", "status"),
    [
        ("ct-head", "", 406), ("ct-head", "; transfer-syntax=*", 200),
        ("ct-head", "; transfer-syntax=1.2.840.10008.1.2.4.90", 200),
        ("ct-head", "; transfer-syntax=1.2.840.10008.1.2.1", 406),
        ("ct-abdomen", "", 200), ("xr-knee", "", 200), ("mr-follow-up", "", 406),
    ],
)  # fmt: skip
def test_what_is_compressed_is_given_to_those_who_take_it(
    pacs: FlaskClient, kind: str, syntax: str, status: int
) -> None:
    accept = f'multipart/related; type="application/dicom"{syntax}'
    assert pacs.get(at(kind), headers={**BASIC, "Accept": accept}).status_code == status


@pytest.mark.clause("PS3.18", "10.4.1.1.6")
@pytest.mark.parametrize(
    ("kind", "start"),
    [("us-heart", b"\xff\xd8\xff"), ("ct-head", b"\xff\x4f\xff\x51"), ("mr-follow-up", b"\xff\x4f\xff\x51")],
)
def test_a_compressed_frame_is_its_codestream(pacs: FlaskClient, kind: str, start: bytes) -> None:
    answer = pacs.get(f"{at(kind)}/frames/1", headers=BASIC)
    _, _, frame = answer.data.partition(b"\r\n\r\n")
    assert frame.startswith(start)


def test_every_frame_of_a_clip_can_be_had(pacs: FlaskClient) -> None:
    answer = pacs.get(f"{at('us-heart')}/frames/1,7,12", headers=BASIC)
    assert answer.data.count(b"\r\n\r\n\xff\xd8\xff") == 3
    assert pacs.get(f"{at('us-heart')}/frames/13", headers=BASIC).status_code == 404


def test_a_document_is_bulk_data_and_has_no_frames(pacs: FlaskClient) -> None:
    (row,) = json.loads(pacs.get(f"{at('ct-measured', 2)}/metadata", headers=BASIC).data)
    assert set(row["00420011"]) == {"vr", "BulkDataURI"}
    assert "7FE00010" not in row
    assert b"%PDF-" in pacs.get(f"{at('ct-measured', 2)}/bulkdata/00420011", headers=BASIC).data
    for tail in ("bulkdata/7FE00010", "bulkdata/00100010", "bulkdata/x", "frames/1"):
        assert pacs.get(f"{at('ct-measured', 2)}/{tail}", headers=BASIC).status_code == 404
