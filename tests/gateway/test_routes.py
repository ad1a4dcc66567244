import json
import re

import pytest

from smartapp.dicomweb.core.multipart import read_parts
from tests.dicomweb_upstream.archive import Reply
from tests.dicomweb_upstream.objects import dataset, file_of
from tests.gateway.app import MULTIPART, Viewer
from tests.records.desk import CHEST

INSTANCE = "/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.2"


def _parts(response: object) -> list[tuple[str, bytes]]:
    data, kind = response.data, response.headers["Content-Type"]  # type: ignore[attr-defined]  # a TestResponse
    return [(part.headers["content-type"], b"".join(part.chunks)) for part in read_parts([data], kind)]


@pytest.mark.clause("PS3.18", "10.6")
@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("/studies", 1), ("/studies?StudyInstanceUID=1.2.3", 1), ("/studies?00100020=SE-1001&limit=5", 1),
        ("/studies/1.2.3/series", 2), ("/studies/1.2.3/series?Modality=CT&offset=1", 1),
        ("/studies/1.2.3/instances", 3), ("/studies/1.2.3/series/1.2.3.1/instances?includefield=all", 2),
    ],
)  # fmt: skip
def test_searches(v: Viewer, path: str, count: int) -> None:
    response = v.get(path, "application/dicom+json")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/dicom+json"
    assert "ETag" not in response.headers
    assert len(json.loads(response.data)) == count


@pytest.mark.threat("A4")
@pytest.mark.parametrize(
    "query", ["StudyInstanceUID=1.4", "StudyInstanceUID=1.8,9.9", "PatientID=OLD-77", "limit=0", "PatientID=A%5CB"]
)
def test_nothing_found_is_204(v: Viewer, query: str) -> None:
    response = v.get(f"/studies?{query}")
    assert (response.status_code, response.data) == (204, b"")


@pytest.mark.threat("A4")
@pytest.mark.threat("A6")
@pytest.mark.parametrize(
    "query",
    ["PatientID=*", "StudyInstanceUID=1.2.3,1.8", "PatientName=*", "PatientID=", "includefield=all,00091001"],
)
def test_no_query_widens_what_is_seen(v: Viewer, query: str) -> None:
    (row,) = json.loads(v.get(f"/studies?{query}").data)
    assert row["0020000D"]["Value"] == ["1.2.3"]
    assert row["00081190"]["Value"] == ["https://images.example.org/st-elsewhere/dicomweb/studies/1.2.3"]
    assert "00091001" not in row
    assert "pacs.invalid" not in json.dumps(row)


def test_fuzzy_matching_is_said_to_be_literal(v: Viewer) -> None:
    assert v.get("/studies?fuzzymatching=true").headers["Warning"].startswith("299 ")
    assert "Warning" not in v.get("/studies").headers


@pytest.mark.parametrize("query", ["Nonsense=1", "00091001=x", "limit=-1", "limit=1&limit=2", "StudyDate=x"])
def test_a_query_that_is_not_known_is_400(v: Viewer, query: str) -> None:
    assert v.get(f"/studies?{query}").status_code == 400


@pytest.mark.clause("PS3.18", "10.4")
@pytest.mark.parametrize(
    ("path", "made"), [("/studies/1.2.3", CHEST), ("/studies/1.2.3/series/1.2.3.1", CHEST[:2]), (INSTANCE, CHEST[1:2])]
)
def test_instances_as_multipart(v: Viewer, path: str, made: tuple[object, ...]) -> None:
    for accept in (MULTIPART, "multipart/related; type=application/dicom", "*/*"):
        response = v.get(path, accept)
        assert response.status_code == 200
        kind = "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"
        assert _parts(response) == [(kind, file_of(each)) for each in made]


@pytest.mark.threat("D9")
def test_an_instance_as_a_file(v: Viewer) -> None:
    response = v.get(INSTANCE, "application/dicom")
    assert response.data == file_of(CHEST[1])
    assert re.fullmatch(r'attachment; filename="[0-9a-f]{16}\.dcm"', response.headers["Content-Disposition"])
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/studies/1.2.3", "application/dicom"), ("/studies/1.2.3", "text/html"), (INSTANCE, "image/jpeg"),
        (INSTANCE, 'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.4.90'),
        ("/studies", "text/html"), (f"{INSTANCE}/metadata", 'multipart/related; type="application/dicom+xml"'),
        (f"{INSTANCE}/frames/1", "image/jpeg"), (f"{INSTANCE}/frames/1,1", "application/octet-stream"),
        (f"{INSTANCE}/rendered", "video/mp4"), (f"{INSTANCE}/thumbnail", "image/gif"),
    ],
)  # fmt: skip
def test_what_cannot_be_given_is_406(v: Viewer, path: str, accept: str) -> None:
    assert v.get(path, accept).status_code == 406


@pytest.mark.parametrize(
    ("path", "count"), [("/studies/1.2.3", 3), ("/studies/1.2.3/series/1.2.3.1", 2), (INSTANCE, 1)]
)
def test_metadata(v: Viewer, path: str, count: int) -> None:
    response = v.get(f"{path}/metadata", "application/dicom+json, application/json;q=0.5")
    assert response.headers["Content-Type"] == "application/dicom+json"
    rows = json.loads(response.data)
    assert len(rows) == count
    for row in rows:
        (sop,), (series,) = row["00080018"]["Value"], row["0020000E"]["Value"]
        ours = f"https://images.example.org/st-elsewhere/dicomweb/studies/1.2.3/series/{series}/instances/{sop}"
        assert row["7FE00010"]["BulkDataURI"] == f"{ours}/bulkdata/7FE00010"


def test_frames(v: Viewer) -> None:
    pixels = dataset(CHEST[1]).PixelData
    kind = "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"
    for accept in ('multipart/related; type="application/octet-stream"; transfer-syntax=*', "*/*", ""):
        assert _parts(v.get(f"{INSTANCE}/frames/1", accept)) == [(kind, pixels)]
    single = v.get(f"{INSTANCE}/frames/1", "application/octet-stream; transfer-syntax=*")
    assert (single.data, single.headers["Content-Type"]) == (pixels, kind)
    assert len(_parts(v.get(f"{INSTANCE}/frames/1,1", "*/*"))) == 2
    assert v.get(f"{INSTANCE}/frames/2").status_code == 404
    for numbers in ("0", "x", "1,,2", "-1", "99999999"):
        assert v.get(f"{INSTANCE}/frames/{numbers}").status_code == 400


def test_large_values(v: Viewer) -> None:
    pixels = dataset(CHEST[1]).PixelData
    many = v.get(f"{INSTANCE}/bulkdata/7FE00010", 'multipart/related; type="application/octet-stream"')
    assert _parts(many) == [("application/octet-stream", pixels)]
    assert v.get(f"{INSTANCE}/bulkdata/7FE00010", "application/octet-stream").data == pixels
    assert v.get(f"{INSTANCE}/bulkdata/00420011").status_code == 404
    for tag in ("7fe00010", "00091001", "x", "7FE0001"):
        assert v.get(f"{INSTANCE}/bulkdata/{tag}").status_code == 400


def test_pictures(v: Viewer) -> None:
    assert v.get(f"{INSTANCE}/rendered").data.startswith(b"\xff\xd8")
    png = v.get(f"{INSTANCE}/frames/1/rendered?window=100,50,linear&viewport=4,4&quality=50", "image/png")
    assert png.headers["Content-Type"] == "image/png"
    assert png.data.startswith(b"\x89PNG")
    for path in ("/studies/1.2.3/series/1.2.3.1/thumbnail", f"{INSTANCE}/thumbnail"):
        assert v.get(path, "image/*").data.startswith(b"\xff\xd8")
    for query in ("window=1", "window=1,0,linear", "viewport=0,0", "quality=0", "quality=101", "quality=5&quality=6"):
        assert v.get(f"{INSTANCE}/rendered?{query}").status_code == 400


@pytest.mark.threat("A8")
@pytest.mark.parametrize(
    "path",
    [
        "", "/", "/series", "/instances", "/series/1.2.3.1", "/wado", "/studies/1.2.3/archive", "/tools/find", "/app/x",
        "/modalities", "/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.2/file", "/changes",
    ],
)  # fmt: skip
def test_what_is_no_route_is_404(v: Viewer, path: str) -> None:
    calls = v.desk.calls()
    assert v.get(f"{path}?requestType=WADO&studyUID=1.2.3").status_code in {404, 400 if path in {"", "/"} else 404}
    assert v.desk.calls() == calls


@pytest.mark.threat("A9")
@pytest.mark.parametrize(
    "path",
    [
        "/studies/1.2.3/../1.8", "/studies/%2e%2e/1.8", "/studies/1.2.3%2f..%2f1.8", "/studies/1.2.3;x",
        "/studies//series",
        "/studies/1.2.3/", "/studies/1.2.3%00", "/studies/%d9%a1.2", "/studies/" + "1" * 65, "/studies/1.2.3.",
        "/studies/1.2.3/series/x", "/studies/1.2.3/series/1.2.3.1/instances/..", "/studies/1.2.3%0a", "/studies/%ff",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_400(v: Viewer, path: str) -> None:
    calls = v.desk.calls()
    assert v.get(path).status_code == 400
    assert v.desk.calls() == calls


@pytest.mark.threat("A27")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/studies", "/studies/1.2.3", INSTANCE, f"{INSTANCE}/metadata", "/workitems"])
def test_nothing_can_be_stored_or_changed(v: Viewer, path: str, method: str) -> None:
    calls = v.desk.calls()
    response = v.get(path, method=method)
    assert response.status_code == 405
    assert "POST" not in response.headers["Allow"]
    assert v.desk.calls() == calls


@pytest.mark.threat("A2")
@pytest.mark.threat("A3")
@pytest.mark.parametrize("tail", ["", "/metadata", "/frames/1", "/rendered", "/thumbnail", "/bulkdata/7FE00010"])
@pytest.mark.parametrize(
    "where",
    ["series/1.2.3.1/instances/1.2.3.2.1", "series/1.8.1/instances/1.8.1.1", "series/1.2.3.1/instances/1.4.1.1"],
)
def test_an_instance_out_of_its_place_is_404(v: Viewer, where: str, tail: str) -> None:
    v.get("/studies/1.2.3/metadata")
    calls = v.desk.calls()
    assert v.get(f"/studies/1.2.3/{where}{tail}").status_code == 404
    assert v.desk.calls() == calls


@pytest.mark.threat("A24")
def test_ranges_and_conditions_are_not_looked_at(v: Viewer) -> None:
    response = v.get(INSTANCE, "application/dicom", Range="bytes=0-0,0-0", **{"If-None-Match": "*"})
    assert (response.status_code, response.data) == (200, file_of(CHEST[1]))


@pytest.mark.threat("F4")
@pytest.mark.threat("F5")
@pytest.mark.parametrize(
    ("reply", "status"),
    [(Reply(200, b"<html>", "text/html"), 502), (Reply(204), 502), (Reply(302, headers={"Location": "/x"}), 502),
     (Reply(503, headers={"Retry-After": "9"}), 503)],
)  # fmt: skip
def test_what_the_pacs_does_wrong_before_the_first_byte_is_said(v: Viewer, reply: Reply, status: int) -> None:
    v.get("/studies/1.2.3/metadata")
    v.desk.archive.script = lambda _asked: reply
    response = v.get("/studies/1.2.3", MULTIPART)
    assert response.status_code == status
    assert re.fullmatch(rb"[a-z0-9-]+\nReference: req-[\w-]+\n", response.data)
    assert ("Retry-After" in response.headers) is (status == 503)
