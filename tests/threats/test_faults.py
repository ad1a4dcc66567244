"""Hospitals and parts of ours that fail: what the person sees, that nothing is half shown, and that it passes."""

from __future__ import annotations

import functools
import gzip
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from smartapp.settings import Storage
from smartapp.web.rules import Rule
from tests.dicomweb_upstream.archive import Asked as PacsAsked
from tests.dicomweb_upstream.archive import Reply, body, rows_reply
from tests.dicomweb_upstream.objects import file_of
from tests.fhir_upstream.fake_fhir import FHIR, bundle, fhir, study
from tests.gateway.app import MULTIPART
from tests.launch.server import Said
from tests.support.databases import SqliteFiles
from tests.threats.composed import OURS, Browser, Composed, composed
from tests.threats.connections import configured, recorded
from tests.threats.holding import holder, methods
from tests.threats.hospital import CHEST

CHESTS = body([file_of(made) for made in CHEST])
WHOLE = file_of(CHEST[0])
INSTANCE = "/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1"
THUMBNAIL = "studies/1.2.3/series/1.2.3.1/thumbnail"


def _objects(reply: Reply) -> Callable[[PacsAsked], Reply | None]:
    """Lists are right; objects come as `reply`."""
    lists = ("/metadata", "/studies", "/series", "/instances")
    return lambda asked: None if asked.path.endswith(lists) else reply


PACS = {
    "stalls": (_objects(Reply(content=CHESTS[:900], length=len(CHESTS), stall=True)), {502, 503}),
    "is cut": (_objects(Reply(content=CHESTS[:900], length=len(CHESTS))), {502}),
    "says less than it sends": (_objects(Reply(content=CHESTS, length=900)), {502}),
    "sends no end": (_objects(Reply(content=body([file_of(CHEST[0])], closed=False)[:700])), {502}),
    "asks to sign in": (_objects(Reply(content=b"<html>", content_type="text/html")), {502}),
    "has nothing": (_objects(Reply(204)), {502}),
    "has a part": (_objects(Reply(206, CHESTS)), {502}),
    "points elsewhere": (_objects(Reply(301, headers={"Location": "http://127.0.0.1:9/"})), {502}),
    "is busy": (_objects(Reply(503, headers={"Retry-After": "120"})), {503}),
    "is broken": (_objects(Reply(500)), {502}),
    "refuses us": (_objects(Reply(401)), {502, 503}),
    "sends one zipped": (
        _objects(Reply(content=gzip.compress(b"\0" * 10**7), headers={"Content-Encoding": "gzip"})),
        {502},
    ),
}


@pytest.mark.threat("F1")
@pytest.mark.threat("F2")
@pytest.mark.threat("F4")
@pytest.mark.threat("F5")
@pytest.mark.threat("D1")
@pytest.mark.threat("D5")
@pytest.mark.parametrize("fault", PACS)
def test_an_archive_that_fails_costs_a_picture_and_nothing_else(own: Composed, fault: str) -> None:
    ana = own.signed_in()
    ana.my("studies/1.2.3")
    token = ana.viewer_token()
    own.first.archive.script, expected = PACS[fault]
    with recorded() as seen:
        answers = [ana.my(THUMBNAIL), ana.dicomweb(f"{INSTANCE}/frames/1", token)]
        status, left = ana.look(INSTANCE, token, "application/dicom")
    for answer in answers:
        assert answer.status_code in expected, answer.text
        assert answer.headers["Content-Type"].startswith("text/")
        assert answer.headers["X-Request-Id"] in answer.text
        assert b"\xff\xd8\xff" not in answer.data
    assert status in {200, *expected}
    assert status != 200 or WHOLE.startswith(left)
    assert seen.peers <= configured(own.first)
    page = ana.my("studies/1.2.3")
    assert page.status_code == 200
    assert "One nodule." in page.text
    own.first.archive.script = lambda _asked: None
    own.clock.advance(130)
    assert ana.my(THUMBNAIL).status_code == 200
    _assert_every_disclosure_ends(own)


def _assert_every_disclosure_ends(own: Composed) -> None:
    """Each that was opened has, an hour later, one outcome row."""
    own.clock.advance(3700)
    own.ground.audit.sweep()
    kinds = own.kinds()
    assert kinds.count("disclosure.opened") == kinds.count("disclosure.closed") > 0


@pytest.mark.threat("F5")
def test_an_archive_that_is_down_is_known_to_be_down(own: Composed) -> None:
    """After five failures it is not asked; list and report, with a word, and the other hospital go on."""
    ana = own.signed_in()
    token = ana.viewer_token()
    own.first.archive.script = lambda _asked: Reply(503)
    assert "This page may be incomplete." in ana.my().text
    for _ in range(3):
        refused = ana.dicomweb("/studies/1.2.3", token)
        assert refused.status_code in {404, 503}
    asked = len(own.first.archive.asked)
    for _ in range(5):
        page = ana.my("studies/1.2.3")
        assert page.status_code == 200
        assert "One nodule." in page.text
    assert len(own.first.archive.asked) == asked
    assert own.signed_in("m-ana", own.second).my(THUMBNAIL).status_code == 200
    own.first.archive.script = lambda _asked: None
    own.clock.advance(16)
    assert ana.my(THUMBNAIL).status_code == 200


EHR: dict[str, Said] = {
    "HTML": Said(b"<html>sign in</html>", 200, "text/html"),
    "no JSON": Said(b'{"resourceType": ', 200, FHIR),
    "half a bundle": Said(json.dumps(bundle(study())).encode()[:-9], 200, FHIR),
    "a byte order mark": Said(b"\xef\xbb\xbf" + json.dumps(bundle()).encode(), 200, FHIR),
    "another charset": Said(json.dumps(bundle()).encode("utf-16"), 200, "application/fhir+json; charset=utf-16"),
    "a patient": fhir({"resourceType": "Patient", "id": "ana"}),
    "a name twice": Said(b'{"resourceType": "Bundle", "resourceType": "Bundle"}', 200, FHIR),
    "depth": Said(b'{"resourceType":"Bundle","entry":' + b"[" * 50_000 + b"]" * 50_000 + b"}", 200, FHIR),
    "a number": Said(b"1e999", 200, FHIR),
    "not a number": Said(b'{"resourceType": "Bundle", "total": NaN}', 200, FHIR),
    "too much": fhir(bundle(study(description="x" * 400_000))),
    "a bomb": Said(gzip.compress(b" " * 5_000_000), 200, FHIR, {"Content-Encoding": "gzip"}),
    "a bomb in a redirect": Said(gzip.compress(b" " * 5_000_000), 302, FHIR, {"Content-Encoding": "gzip",
                                                                        "Location": "/"}),
    "a redirect": Said(b"", 301, FHIR, {"Location": "http://127.0.0.1:9/"}),
    "an error": fhir({}, 500),
    "away": fhir({}, 503),
    "nothing": Said(b"", 204, FHIR),
    "part": fhir(bundle(), 206),
}  # fmt: skip


@pytest.mark.threat("F8")
@pytest.mark.threat("F9")
@pytest.mark.threat("F10")
@pytest.mark.parametrize(
    ("kind", "fault"),
    [*(("ImagingStudy", fault) for fault in EHR), ("DiagnosticReport", "half a bundle"),
     ("DiagnosticReport", "an error"),
     ("Patient/ana", "HTML"), ("Patient/ana", "away")],
)  # fmt: skip
def test_an_ehr_that_answers_wrongly_shows_nothing_half(shared: Composed, fault: str, kind: str) -> None:
    own = shared
    with own.ground.database.write() as session:
        session.execute(text("DELETE FROM study_index"))
    own.clock.advance(3700)
    ana = own.signed_in()
    right = own.first.ehr.server.routes[f"/fhir/{kind}"]
    own.first.ehr.server.at(f"/fhir/{kind}", EHR[fault])
    with recorded() as seen:
        answers = [ana.my(), ana.my("studies/1.2.3"), ana.my(THUMBNAIL)]
    for answer in answers:
        assert answer.status_code in {502, 503}
        assert answer.headers["X-Request-Id"] in answer.text
        assert "One nodule" not in answer.text
    assert seen.peers <= configured(own.first)
    assert _indexes(own) == 0
    own.first.ehr.server.at(f"/fhir/{kind}", right)
    own.clock.advance(16)
    assert ana.my("studies/1.2.3").status_code == 200
    assert _indexes(own) == 1


def _indexes(own: Composed) -> int:
    with own.ground.database.read() as session:
        return int(session.execute(text("SELECT count(*) FROM study_index")).scalar_one())


@pytest.mark.threat("F6")
@pytest.mark.parametrize("after", ["120", "Tue, 24 Nov 2099 00:00:00 GMT", "soon", None])
def test_an_ehr_that_asks_to_wait_is_left_alone(own: Composed, after: str | None) -> None:
    """The person is told when to come back; no token is asked for anew; the next look asks nobody while it waits."""
    ana = own.signed_in()
    tokens = len(own.first.ehr.token_requests)
    headers = {"Retry-After": after} if after else {}
    right = own.first.ehr.server.routes["/fhir/ImagingStudy"]
    own.first.ehr.server.at("/fhir/ImagingStudy", Said(b"{}", 429, FHIR, headers))
    first = ana.my()
    assert first.status_code == 503
    asked = len(own.first.ehr.server.log)
    for _ in range(4):
        assert ana.my().status_code == 503
    if after in {"120", "Tue, 24 Nov 2099 00:00:00 GMT"}:
        assert int(first.headers["Retry-After"]) >= 60
        assert len(own.first.ehr.server.log) == asked
    assert len(own.first.ehr.server.log) - asked <= 20
    assert len(own.first.ehr.token_requests) == tokens
    own.first.ehr.server.at("/fhir/ImagingStudy", right)
    own.clock.advance(600)
    assert ana.my().status_code == 200


PAGING: dict[str, Callable[[int], Any]] = {
    "itself": lambda _n: "ImagingStudy?patient=ana&_count=100",
    "a circle": lambda n: f"ImagingStudy?patient=ana&page={n % 2}",
    "for ever": lambda n: f"ImagingStudy?patient=ana&page={n}",
}


@pytest.mark.threat("F9")
@pytest.mark.parametrize("kind", PAGING)
def test_pages_without_end_end(own: Composed, kind: str) -> None:
    count = iter(range(10**6))
    own.first.ehr.server.at(
        "/fhir/ImagingStudy",
        lambda _asked: fhir(
            {**bundle(study("i1", "1.2.3", "Patient/ana"), following=PAGING[kind](next(count))), "total": 10**9}
        ),
    )
    page = own.signed_in().my()
    assert page.status_code == 200
    assert "This page may be incomplete." in page.text
    assert len(own.first.ehr.server.asked("/fhir/ImagingStudy")) <= 4


def _another(own: Composed) -> sqlite3.Connection:
    """Somebody else's connection to the database; every statement is a transaction of its own."""
    return sqlite3.connect(str(own.ground.database.engine.url.database), isolation_level=None)


@contextmanager
def _locked(own: Composed) -> Iterator[None]:
    with closing(_another(own)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")


READING = ("fhir.read", "fhir.search", "userinfo.userinfo", "dicomweb.retrieve", "dicomweb.studies", "patient.studies")


@pytest.mark.threat("F13")
@pytest.mark.threat("T11")
def test_while_the_database_is_held_nothing_leaves_and_nothing_is_given(own: Composed) -> None:
    held, ben = holder(own), own.browser()
    ana, csrf = held.browser, {rule: held.csrf(rule) for rule in Rule}
    params = own.first.consent(ben.start(), "ben")
    own.clock.advance(130)  # what is remembered of the list is too old, and the last visit is worth writing down
    asked = len(own.first.archive.asked)
    with _locked(own):
        for address in held.addresses():
            method = "GET" if "GET" in address.methods else methods(address)[0]
            form = {"csrf_token": csrf[address.rule]} if method != "GET" else None
            answer = ana.open(address.path, method=method, headers={**OURS, **held.bearer()}, data=form)
            refused = {401} if address.endpoint.startswith("register.") else set()  # an app's token registers nothing
            assert answer.status_code in {200, 204, 303, 400, 404, 405, 503} | refused, address
            assert answer.status_code == 503 or address.endpoint not in READING, address
            assert "Canary" not in answer.text
            assert b"DICM" not in answer.data
        assert ana.my().status_code == 503
        assert ben.back(params).status_code == 503
        assert ben.cookie() == ""
    assert len(own.first.archive.asked) == asked


TRIGGER = "CREATE TRIGGER full BEFORE INSERT ON {} BEGIN SELECT RAISE(ABORT, 'disk full for Ana Canaryvera'); END"


NOTHING_OF_A_PATIENT = {
    "patient.sessions_page", "dicomweb.anything_else", "fhir.anything_else", "fhir.metadata",
    "fhir.binary",  # the id is no file of hers
}  # fmt: skip


@pytest.mark.threat("T11")
@pytest.mark.threat("F18")
@pytest.mark.parametrize("table", ["audit_events", "disclosures"])
def test_without_the_trail_nothing_leaves_and_nobody_is_asked(own: Composed, table: str) -> None:
    """Every route that could give something of a patient's; after it, everything as before."""
    held = holder(own)
    ana = held.browser
    own.clock.advance(400)  # what was shown before is over: a disclosure ends after five quiet minutes
    with closing(_another(own)) as connection:
        connection.execute(TRIGGER.format(table))
        asked = len(own.first.archive.asked)
        for address in held.addresses():
            if "GET" in address.methods and address.endpoint.split(".")[0] in {"patient", "dicomweb", "fhir"}:
                answer = ana.get(address.path, headers=held.bearer())
                known = address.endpoint in NOTHING_OF_A_PATIENT
                assert answer.status_code == 503 or known, address
                assert "disk full" not in answer.text
                assert "nodule" not in answer.text
        if table == "audit_events":
            assert len(own.first.archive.asked) == asked
        connection.execute("DROP TRIGGER full")
    assert ana.my("studies/1.2.3").status_code == 200
    assert ana.my(THUMBNAIL).status_code == 200


@pytest.mark.threat("F18")
def test_without_room_for_the_cache_pictures_come_all_the_same(sqlite_files: SqliteFiles, tmp_path: Path) -> None:
    """A file stands where the folder should be: nothing can be written, as on a disk that is full."""
    (tmp_path / "full").write_text("in the way")
    with composed(sqlite_files, tmp_path, storage=Storage(tmp_path / "full" / "cache")) as own:
        ana = own.signed_in()
        token = ana.viewer_token()
        for _ in range(2):
            assert ana.my(THUMBNAIL).status_code == 200
            answer = ana.dicomweb("/studies/1.2.3", token, headers={"Accept": MULTIPART})
            assert answer.data.count(b"DICM") == 3


@pytest.mark.threat("S22")
def test_an_ehr_that_has_ended_our_right_says_so_once(own: Composed) -> None:
    """401 on every read, and on the refresh: tokens erased, the person told, and nobody asked again."""
    ana = own.signed_in()
    for kind in ("Patient/ana", "ImagingStudy", "DiagnosticReport", "DiagnosticReport/r1"):
        own.first.ehr.server.at(f"/fhir/{kind}", fhir({}, 401))
    first = ana.my()
    assert first.status_code == 403
    assert "You are signed out" in first.text
    assert "smart.revoked_upstream" in own.kinds()
    calls = own.calls()
    for path in ("", "studies/1.2.3", THUMBNAIL):
        assert ana.my(path).status_code == 403
    assert own.calls() == calls
    fresh: Browser = own.browser()
    own.first.take_in(own.first.records["ana"])
    fresh.sign_in("ana")
    assert fresh.my().status_code == 200


def _always(reply: Reply, _asked: PacsAsked) -> Reply:
    return reply


def test_hostile_rows_of_an_archive_are_no_failure_of_ours(own: Composed) -> None:
    """Rows of every wrong shape, one after another."""
    shapes: list[Any] = [1, None, [], {"0020000D": 1}, {"0020000D": {"Value": [None]}},
                         {"0020000D": {"vr": "UI", "Value": [{}]}},
                         {"0020000D": {"vr": "UI", "Value": ["1.2.3"]}, "00201208": {"vr": "IS", "Value": ["x"]}},
                         "x"]  # fmt: skip
    ana = own.signed_in()
    token = ana.viewer_token()
    for shape in shapes:
        reply = rows_reply([shape])
        own.first.archive.script = functools.partial(_always, reply)
        own.clock.advance(130)
        assert ana.my().status_code == 200
        assert ana.my("studies/1.2.3").status_code in {200, 404}
        # "The pictures are away; we try again", or no such series: nothing in between.
        assert ana.my("studies/1.2.3/series/1.2.3.1").status_code in {404, 503}
        if own.clock.shift.total_seconds() < 250:
            assert ana.dicomweb("/studies/1.2.3/metadata", token).status_code in {404, 502}
