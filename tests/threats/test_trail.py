"""What goes wrong is written down under its name: once at first, then counted, and with nothing of anybody's in it."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from typing import Any

import pytest
from pydicom import dcmread
from requests.exceptions import SSLError

from smartapp.settings import Apps
from smartapp.web.rules import Rule, rule
from tests.dicomweb_upstream.archive import Reply, body
from tests.dicomweb_upstream.objects import file_of
from tests.fhir_facade.app import App, Clinic, clinic, fill
from tests.fhir_upstream.fake_fhir import FHIR, bundle, fhir, study
from tests.launch.server import Said
from tests.support.databases import SqliteFiles
from tests.threats.composed import BASE, OURS, Composed, composed
from tests.threats.hospital import CHEST
from tests.threats.test_faults import EHR, INSTANCE, PACS, THUMBNAIL, _objects
from tests.threats.trail import told

WHOLE = file_of(CHEST[0])

ARCHIVES = {
    "stalls": "pacs.stall",
    "is cut": "pacs.short",
    "sends no end": "pacs.malformed",
    "asks to sign in": "pacs.bad",
    "has nothing": "pacs.bad",
    "has a part": "pacs.bad",
    "points elsewhere": "pacs.bad",
    "is busy": "pacs.down",
    "is broken": "pacs.bad",
    "sends one zipped": "upstream.bomb",
}


@pytest.mark.threat("F1", "F2", "F4", "F5", "D1", "D5")
@pytest.mark.parametrize("fault", ARCHIVES)
def test_an_archives_fault_has_its_name_in_the_trail(own: Composed, fault: str) -> None:
    """However often it fails: one row at once, and the rest as a number."""
    token = own.signed_in().viewer_token()
    own.first.archive.script = PACS[fault][0]
    browser = own.browser()
    statuses = [browser.dicomweb(f"{INSTANCE}/frames/1", token).status_code for _ in range(3)]
    failed = [status for status in statuses if status != 200]  # what came whole before the cut is in the cache
    assert failed
    assert set(failed) <= PACS[fault][1]
    kind = ARCHIVES[fault]
    at_once = own.kinds().count(kind)
    rows = told(own, kind)
    assert at_once == len({row.detail["code"] for row in rows})
    assert sum(int(row.detail["count"]) for row in rows) == len(failed)
    assert {row.provider for row in rows} == {"st-elsewhere"}
    assert {name for row in rows for name in row.detail} == {"code", "upstream", "count"}


EHRS = {
    "HTML": "ehr.malformed",
    "half a bundle": "ehr.malformed",
    "a byte order mark": "ehr.malformed",
    "too much": "ehr.paging",
    "a bomb": "upstream.bomb",
    "a bomb in a redirect": "upstream.bomb",
    "an error": "ehr.bad",
    "away": "ehr.down",
}


@pytest.mark.threat("F8", "F9", "F10", "D5")
@pytest.mark.parametrize("fault", EHRS)
def test_an_ehrs_fault_has_its_name_in_the_trail(own: Composed, fault: str) -> None:
    ana = own.signed_in()
    own.first.ehr.server.at("/fhir/ImagingStudy", EHR[fault])
    assert ana.my().status_code in {502, 503}
    rows = told(own, EHRS[fault])
    assert rows
    assert all(row.detail["upstream"] == "ehr" for row in rows)


@pytest.mark.threat("F6")
def test_an_ehr_that_asks_to_wait_is_told_of(own: Composed) -> None:
    ana = own.signed_in()
    own.first.ehr.server.at("/fhir/ImagingStudy", Said(b"{}", 429, FHIR, {"Retry-After": "120"}))
    assert ana.my().status_code == 503
    assert len(told(own, "ehr.429")) == 1


@pytest.mark.threat("F9")
def test_pages_that_do_not_end_are_told_of(own: Composed) -> None:
    found = bundle(study("i1", "1.2.3", "Patient/ana"), following="ImagingStudy?patient=ana&_count=100")
    own.first.ehr.server.at("/fhir/ImagingStudy", lambda _asked: fhir(found))
    assert own.signed_in().my().status_code == 200
    assert len(told(own, "ehr.paging")) == 1


@pytest.mark.threat("D9")
def test_a_preamble_that_was_not_empty_is_told_of(own: Composed) -> None:
    token = own.signed_in().viewer_token()
    own.first.archive.script = _objects(Reply(content=body([b"MZ" + WHOLE[2:]])))
    status, left = own.browser().look(INSTANCE, token, "application/dicom")
    assert (status, left[:128]) == (200, b"\0" * 128)
    assert len(told(own, "dicom.preamble")) == 1


@pytest.mark.threat("D6")
def test_a_picture_whose_size_cannot_be_is_told_of(own: Composed) -> None:
    token, file = own.signed_in().viewer_token(), dcmread(BytesIO(WHOLE))
    file.Rows = file.Columns = 65535
    out = BytesIO()
    file.save_as(out)
    own.first.archive.script = _objects(Reply(content=body([out.getvalue()])))
    answer = own.browser().dicomweb(f"{INSTANCE}/rendered", token)
    assert answer.status_code == 422
    assert [row.detail["code"] for row in told(own, "dicom.dims")] == ["dimensions"]


@pytest.mark.threat("W1")
def test_forged_forms_are_counted(own: Composed) -> None:
    """A stranger's thousand requests are two rows, and none of what they sent is in them."""
    ana = own.signed_in()
    for _ in range(5):
        assert ana.post(f"/my/{ana.ctx}/studies/1.2.3/viewer-token", token="canary").status_code == 400
    assert own.kinds().count("csrf.fail") == 1
    rows = told(own, "csrf.fail")
    assert [row.detail["count"] for row in rows] == ["1", "4"]
    assert rows[0].request_id
    assert {row.detail["why"] for row in rows} == {"token"}
    assert "canary" not in str(rows)
    own.clock.advance(301)
    ana.open(
        "/start", method="POST", data={"provider": "st-elsewhere"}, headers={**OURS, "Sec-Fetch-Site": "cross-site"}
    )
    assert told(own, "csrf.fail")[-1].detail["why"] == "site"


@pytest.mark.threat("W11")
def test_another_host_is_told_of_without_its_name(own: Composed) -> None:
    for name in ("canary.example", "canary2.example"):
        answer = own.browser().get("/", headers={"Host": name})
        assert answer.status_code == 400
    rows = told(own, "host.bad")
    assert [row.detail for row in rows] == [{"count": "1"}, {"count": "1"}]


@pytest.mark.threat("S21")
def test_a_page_of_the_record_before_is_told_of(own: Composed) -> None:
    ana = own.signed_in()
    assert ana.get("/my/ctx-canary/").status_code == 409
    (row,) = told(own, "smart.context.tab")
    assert "canary" not in str(row)


@pytest.mark.threat("W20")
def test_a_fault_that_nobody_thought_of_has_a_row_with_its_reference(
    own: Composed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: Any) -> None:
        raise ZeroDivisionError("Ana Canaryvera")

    monkeypatch.setitem(own.house.app.view_functions, "signin.home", rule(Rule.PUBLIC)(broken))
    answer = own.browser().get("/")
    assert answer.status_code == 500
    (row,) = told(own, "error.unhandled")
    assert (row.severity, row.request_id) == ("high", answer.headers["X-Request-Id"])
    assert row.detail["error"] == "ZeroDivisionError"
    assert "Canary" not in str(row)


@pytest.mark.threat("F13")
def test_a_database_that_was_busy_is_told_of_when_it_answers_again(own: Composed) -> None:
    ana = own.signed_in()
    own.clock.advance(130)
    path = own.ground.settings.database.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert ana.my("studies/1.2.3").status_code == 503
        other.execute("ROLLBACK")
    assert "db.busy" not in own.kinds()
    assert len(told(own, "db.busy")) == 1


@pytest.mark.threat("F18")
def test_a_full_disk_of_the_cache_is_told_of_loudly(own: Composed, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def full(path: Any, flags: int, *rest: Any) -> int:
        if str(path).endswith(".part"):
            raise OSError(errno.ENOSPC, "no room for canary")
        return opened(path, flags, *rest)

    ana = own.signed_in()
    monkeypatch.setattr("smartapp.dicomweb.core.cache.os.open", full)
    assert ana.my(THUMBNAIL).status_code == 200
    rows = told(own, "disk.full")
    assert rows
    assert {(row.severity, row.detail["where"]) for row in rows} == {("high", "cache")}


@pytest.mark.threat("O61")
def test_guesses_past_the_limit_are_counted(
    sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with composed(sqlite_files, tmp_path_factory.mktemp("own"), apps=Apps(failures_per_minute=2)) as own:
        answers = [
            own.browser().open(
                "/st-elsewhere/oauth/token",
                method="POST",
                data={"grant_type": "client_credentials"},
                headers={"Authorization": "Basic YXBwLW5vbmU6Y2FuYXJ5"},
            )
            for _ in range(6)
        ]
        assert [answer.status_code for answer in answers] == [401, 401, 429, 429, 429, 429]
        assert [row.detail for row in told(own, "ratelimit")] == [
            {"of": "address", "count": "1"},
            {"of": "address", "count": "3"},
        ]


@pytest.mark.threat("F12")
def test_a_certificate_that_is_not_good_is_told_loudly(own: Composed, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a sign-in begins, and while a record is read."""

    def untrusted(*_: Any, **__: Any) -> None:
        raise SSLError("certificate verify failed: canary.example")

    ana = own.signed_in()
    monkeypatch.setattr("smartapp.outbound.adapter.Adapter.send", untrusted)
    own.clock.advance(3700)
    assert ana.my().status_code in {401, 503}
    assert own.browser().open("/start", method="POST", data={"provider": "mercy"}, headers=OURS).status_code == 503
    rows = told(own, "tls.fail")
    assert rows
    assert {row.severity for row in rows} == {"high"}
    assert "mercy" in {row.provider for row in rows}
    assert "canary" not in str(rows)


@pytest.mark.threat("F22")
def test_a_body_that_did_not_arrive_is_told_of(own: Composed) -> None:
    half = {"wsgi.input": BytesIO(b"half"), "CONTENT_LENGTH": "10"}
    answer = own.browser().open("/start", method="POST", headers=OURS, environ_overrides=half)
    assert answer.status_code == 408
    assert "conn.slow" not in own.kinds()
    assert len(told(own, "conn.slow")) == 1


# --- apps ---


@pytest.fixture(scope="module")
def shop(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with clinic(sqlite_files, tmp_path_factory.mktemp("trail")) as made:
        fill(made)
        yield made


@pytest.fixture
def app(shop: Clinic) -> App:
    return shop.app()


def _dicomweb(app: App, path: str, method: str = "GET") -> Any:
    headers = {"Authorization": f"Bearer {app.token}", "Accept": "application/dicom+json"}
    return app.client.open(f"/st-elsewhere/dicomweb{path}", method=method, headers=headers, base_url=BASE)


@pytest.mark.threat("A8", "A27")
@pytest.mark.parametrize(("method", "status"), [("GET", 404), ("DELETE", 405), ("POST", 405)])
def test_a_route_that_is_none_is_told_of(shop: Clinic, app: App, method: str, status: int) -> None:
    before, calls = len(told(shop.composed, "route.denied")), shop.calls()
    assert _dicomweb(app, "/tools/canary", method).status_code == status
    assert shop.calls() == calls
    row = told(shop.composed, "route.denied")[before]
    assert row.detail == {"surface": "dicomweb", "method": method, "count": "1"}


@pytest.mark.threat("A17")
def test_history_and_operations_are_told_of(shop: Clinic, app: App) -> None:
    before, calls = len(told(shop.composed, "authz.denied")), shop.calls()
    assert app.get("/Patient/ana/$everything").status_code == 404
    assert shop.calls() == calls
    row = told(shop.composed, "authz.denied")[before]
    assert row.detail == {"what": "fhir-unsupported", "method": "GET", "count": "1"}


@pytest.mark.threat("A2", "A3")
def test_a_series_of_another_study_is_told_loudly_and_one_that_is_hidden_is_not(shop: Clinic) -> None:
    wide, narrow = shop.app(), shop.app("patient/*.rs", modalities=frozenset({"CT"}))
    _dicomweb(wide, "/studies/1.5/series")
    for app, path, severity in [
        (wide, "/studies/1.5/series/1.2.3.1/instances", "high"),
        (narrow, "/studies/1.5/series/1.2.3.1/instances", "high"),
        (narrow, "/studies/1.5/series/1.5.1/instances", "info"),
        (wide, "/studies/1.5/series/1.5.2/instances/1.5.1.1/metadata", "info"),
    ]:
        before = len(told(shop.composed, "authz.denied"))
        assert _dicomweb(app, path).status_code == 404
        assert [row.severity for row in told(shop.composed, "authz.denied")[before:]] == [severity]


@pytest.mark.threat("A11", "A14", "A18", "A31")
def test_what_was_left_out_is_counted_once_a_disclosure(shop: Clinic) -> None:
    wide = shop.app()
    narrow = shop.app("patient/*.rs", modalities=frozenset({"CT"}), chosen=frozenset({"1.5"}))
    everything = len(wide.ids("/ImagingStudy"))
    before = len(told(shop.composed, "authz.filtered"))
    for _ in range(3):
        seen = len(narrow.ids("/ImagingStudy"))
    rows = told(shop.composed, "authz.filtered")[before:]
    (studies,) = [row for row in rows if row.detail["what"] == "studies"]
    assert int(studies.detail["withheld"]) >= everything - seen > 0
    assert studies.detail["disclosure"]
    assert _dicomweb(narrow, "/studies/1.5/series").status_code == 200
    assert _dicomweb(narrow, "/studies/1.5/series").status_code == 200
    series = [row for row in told(shop.composed, "authz.filtered")[before:] if row.detail["what"] == "series"]
    assert [row.detail["withheld"] for row in series][-1] == "1"
    assert len({row.detail["disclosure"] for row in series}) == len(series)


@pytest.mark.threat("A4")
@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("PatientID=*", "PatientID:wildcard"),
        ("PatientID=CANARY-1%5CCANARY-2", "PatientID:list PatientID:foreign"),
        ("StudyInstanceUID=1.2.3,1.8", "StudyInstanceUID:list"),
        ("PatientName=Canary*", "PatientName:wildcard"),
        ("00100020=", "PatientID:empty"),
        ("PatientID=CANARY-1", "PatientID:foreign"),
    ],
)
def test_a_search_that_would_widen_is_told_of_by_its_keys_alone(shop: Clinic, app: App, query: str, keys: str) -> None:
    before = len(told(shop.composed, "qido.query"))
    assert _dicomweb(app, f"/studies?{query}").status_code in {200, 204}
    (row,) = told(shop.composed, "qido.query")[before:]
    assert (row.detail["keys"], row.detail["level"]) == (keys, "study")
    assert "canary" not in str(row).lower()
    assert "1.8" not in str(row)


def test_a_plain_search_writes_nothing_of_it(shop: Clinic, app: App) -> None:
    before = len(told(shop.composed, "qido.query"))
    assert _dicomweb(app, "/studies?StudyInstanceUID=1.2.3").status_code == 200
    assert told(shop.composed, "qido.query")[before:] == []
