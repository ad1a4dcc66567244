"""An archive that answers with anything: nothing of it leaves but what was asked for and is the patient's own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dicomweb_upstream.archive import Asked, Reply, body, rows_reply
from tests.dicomweb_upstream.objects import Made, file_of
from tests.gateway.app import MULTIPART
from tests.threats.composed import Browser, Composed
from tests.threats.hospital import BENS, CHEST

INSTANCE = "/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1"
FOREIGN = (
    BENS,
    replace(CHEST[0], patient_id="SE-1002"),
    replace(CHEST[0], issuer="MERCY"),
    replace(CHEST[0], study="1.8"),
    replace(CHEST[0], series="1.8.1"),
    replace(CHEST[0], sop="1.8.1.1"),
    replace(CHEST[1], patient_id="SE-1002"),
    replace(CHEST[0], patient_id="", issuer=""),
)
"""What the archive may slip in: another patient's, another hospital's number, another study, series or instance."""
FOREIGN_MARK = bytes((BENS.number * 7 + at) % 256 if at % 2 == 0 else 1 for at in range(128))
"""How Ben's pixels begin."""


def _forget(composed: Composed) -> None:
    """Empties the cache, so that the archive is asked."""
    shutil.rmtree(composed.ground.settings.storage.cache_dir, ignore_errors=True)


@pytest.fixture(scope="module")
def ana(shared: Composed) -> Browser:
    browser = shared.signed_in()
    assert browser.my().status_code == 200
    return browser


@pytest.fixture(scope="module")
def token(ana: Browser) -> str:
    return ana.viewer_token()


LIES = st.lists(st.sampled_from([*CHEST, *CHEST, *FOREIGN]), min_size=1, max_size=5)


@pytest.mark.threat("A22")
@pytest.mark.threat("F3")
@pytest.mark.threat("P8")
@settings(max_examples=40, deadline=None)
@given(lies=LIES, cut=st.one_of(st.none(), st.integers(min_value=0, max_value=3000)), closed=st.booleans())
def test_no_byte_of_a_foreign_study_leaves(
    shared: Composed, ana: Browser, token: str, *, lies: list[Made], cut: int | None, closed: bool
) -> None:
    """Whatever is swapped, added, repeated, cut: each instance that leaves is one of Ana's chest."""
    whole = body([file_of(made) for made in lies], closed=closed)

    def script(asked: Asked) -> Reply | None:
        objects = not asked.path.endswith(("/metadata", "/studies", "/series", "/instances"))
        return Reply(content=whole[:cut], length=len(whole)) if objects else None

    shared.first.archive.script = script
    _forget(shared)
    honest = [file_of(made) for made in CHEST]
    try:
        for path in ("/studies/1.2.3", "/studies/1.2.3/series/1.2.3.1", INSTANCE):
            status, left = ana.look(path, token)
            assert status in {200, 404, 502, 503}
            _assert_ours(left, honest)
        for path in (f"{INSTANCE}/frames/1", f"{INSTANCE}/bulkdata/7FE00010", f"{INSTANCE}/thumbnail"):
            status, left = ana.look(path, token, "*/*")
            assert status in {200, 404, 422, 502, 503}
            assert FOREIGN_MARK not in left
        assert b"Canaryfor" not in ana.my("studies/1.2.3").data
    finally:
        shared.first.archive.script = lambda _asked: None


def _assert_ours(left: bytes, honest: Sequence[bytes]) -> None:
    """Every DICOM file in `left` is, as far as it goes, one of the honest ones."""
    assert b"SE-1002" not in left
    assert b"MERCY" not in left
    assert FOREIGN_MARK not in left
    for piece in left.split(bytes(128) + b"DICM")[1:]:
        file = bytes(128) + b"DICM" + piece
        assert any(one.startswith(file[: len(one)][:400]) for one in honest)


@pytest.mark.threat("A22")
@pytest.mark.threat("F3")
@pytest.mark.parametrize("lie", FOREIGN, ids=str)
def test_what_was_mistaken_is_written_down_and_the_next_honest_answer_is_served(own: Composed, lie: Made) -> None:
    ana = own.signed_in()
    token = ana.viewer_token()
    own.first.archive.script = lambda asked: (
        Reply(content=body([file_of(lie)])) if "/instances/" in asked.path else None
    )
    status, left = ana.look(INSTANCE, token)
    assert status == 502
    assert b"DICM" not in left
    assert ana.my("studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1/thumbnail").status_code in {200, 502}
    assert any("mismatch" in kind for kind in own.kinds())
    own.first.archive.script = lambda _asked: None
    assert ana.look(INSTANCE, token)[0] == 200


@pytest.mark.threat("P8")
@pytest.mark.threat("A6")
def test_lists_of_somebody_elses_are_not_passed_on(own: Composed) -> None:
    """Metadata, series and study rows of Ben's, under Ana's addresses."""
    archive = own.first.archive
    foreign: dict[str, Any] = {
        "00100020": {"vr": "LO", "Value": ["SE-1002"]},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Canaryfor"}]},
        "0020000D": {"vr": "UI", "Value": ["1.8"]}, "0020000E": {"vr": "UI", "Value": ["1.8.1"]},
        "00080018": {"vr": "UI", "Value": ["1.8.1.1"]}, "0008103E": {"vr": "LO", "Value": ["Canaryfor"]},
        "00081030": {"vr": "LO", "Value": ["Canaryfor"]}, "00080060": {"vr": "CS", "Value": ["CT"]},
    }  # fmt: skip

    def script(asked: Asked) -> Reply | None:
        honest = archive._honest(asked)
        if "json" not in honest.content_type:
            return None
        return rows_reply([foreign, *json.loads(honest.content), foreign])

    archive.script = script
    ana = own.signed_in()
    token = ana.viewer_token()
    paths = ["/studies", "/studies/1.2.3/series", "/studies/1.2.3/instances", "/studies/1.2.3/metadata",
             "/studies/1.2.3/series/1.2.3.1/metadata", f"{INSTANCE}/metadata"]  # fmt: skip
    answers = [ana.look(path, token, "application/dicom+json") for path in paths]
    pages = [ana.my(), ana.my("studies/1.2.3"), ana.my("studies/1.2.3/series/1.2.3.1")]
    for left in [left for _, left in answers] + [page.data for page in pages]:
        assert b"Canaryfor" not in left
        assert b"1.8.1" not in left
        assert b"SE-1002" not in left
    assert all(status in {200, 502} for status, _ in answers)
    assert "This page may be incomplete." in pages[1].text
    assert pages[2].status_code in {200, 404, 502, 503}


DENIED = [
    "/studies/1.8", "/studies/1.8/metadata", "/studies/1.8/series", "/studies/9.9.9", "/studies/9.9.9/instances",
    "/studies/1.2.3/series/1.8.1", "/studies/1.2.3/series/1.8.1/metadata", "/studies/1.2.3/series/1.8.1/instances",
    "/studies/1.2.3/series/1.8.1/thumbnail", "/studies/1.8/series/1.2.3.1/instances/1.2.3.1.1",
    *(f"/studies/1.2.3/{where}{tail}"
      for where in ("series/1.8.1/instances/1.8.1.1", "series/1.2.3.1/instances/1.2.3.2.1",
                    "series/1.2.3.1/instances/1.8.1.1")
      for tail in ("", "/metadata", "/frames/1", "/frames/1/rendered", "/rendered", "/thumbnail",
                   "/bulkdata/7FE00010")),
]  # fmt: skip


@pytest.mark.threat("A2")
@pytest.mark.threat("A3")
@pytest.mark.threat("A24")
@pytest.mark.parametrize("path", DENIED)
def test_what_is_not_there_for_ana_is_not_asked_for(shared: Composed, ana: Browser, token: str, path: str) -> None:
    """Neither EHR nor PACS hears of it; conditions, ranges and HEAD make no difference; it is written down."""
    ana.dicomweb("/studies/1.2.3/metadata", token)
    calls, kinds = shared.calls(), shared.kinds()
    plain = ana.dicomweb(path, token)
    tries = [
        ana.dicomweb(path, token, headers={"If-None-Match": "*"}),
        ana.dicomweb(path, token, headers={"Range": "bytes=" + ",".join(["0-0"] * 1000)}),
        ana.dicomweb(path, token, headers={"If-Modified-Since": "Mon, 23 Nov 2099 00:00:00 GMT"}),
    ]
    assert plain.status_code == 404
    for answer in tries:
        assert (answer.status_code, answer.data[:10]) == (404, plain.data[:10])
    head = ana.dicomweb(path, token, method="HEAD")
    assert (head.status_code, head.data) == (404, b"")
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        assert ana.dicomweb(path, token, method=method).status_code == 405
    assert shared.calls() == calls
    assert "authz.denied" in shared.kinds()[len(kinds) :]


@pytest.mark.threat("A4")
@pytest.mark.threat("A8")
@pytest.mark.threat("A9")
@pytest.mark.threat("A27")
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/studies?PatientID=*", 200), ("/studies?PatientID=SE-1001%5CSE-1002", 204),
        ("/studies?PatientID=SE-1002", 204),
        ("/studies?PatientID=SE-1001,SE-1002", 204), ("/studies?StudyInstanceUID=1.2.3,1.8", 200),
        ("/studies?StudyInstanceUID=1.8", 204), ("/studies?PatientName=*", 200), ("/studies?PatientID=", 200),
        ("/studies?00100020=SE-1002&PatientID=SE-1001", 204), ("/studies?*", 400), ("/studies?0010,0020=SE-1002", 400),
        ("/series", 404), ("/instances?PatientID=*", 404), ("/changes", 404), ("/tools/find", 404),
        ("/app/explorer.html", 404),
        ("?requestType=WADO&studyUID=1.8&objectUID=1.8.1.1", 404), ("/wado?requestType=WADO&studyUID=1.8", 404),
        ("/studies/1.2.3/../1.8", 400), ("/studies/%2e%2e/1.8", 400), ("/studies/1.2.3%2f..%2f1.8", 400),
        ("/studies/1.2.3;1.8", 400), ("/studies//1.8", 400), ("/studies/1.8%00", 400), ("/studies/%d9%a1.8", 400),
        ("/studies/" + "1" * 65, 400), ("/studies/1.8.", 400), ("/studies/1.8%0a", 400),
    ],
)  # fmt: skip
def test_no_spelling_reaches_past_the_index(shared: Composed, ana: Browser, token: str, path: str, status: int) -> None:
    ana.my()
    calls = shared.calls()
    answer = ana.dicomweb(path, token)
    assert answer.status_code == status
    assert shared.calls() == calls
    assert not any(mark in answer.data for mark in (b"1.8.1", b"SE-1002", b"Canaryfor"))
    if status == 200:
        assert [row["0020000D"]["Value"] for row in answer.get_json(force=True)] == [["1.2.3"]]


@pytest.mark.threat("A23")
def test_the_same_uids_at_two_hospitals_are_two_things(own: Composed) -> None:
    """Ana's chest is in the cache; another hospital's object of the same UIDs is asked for, and comes from there."""
    ana, other = own.signed_in(), own.signed_in("m-ana", own.second)
    path = INSTANCE
    one = ana.look(path, ana.viewer_token())
    other.my()
    token = other.viewer_token()
    for provider, status in (("st-elsewhere", 401), ("mercy", 200)):
        answer = other.dicomweb(path, token, provider, headers={"Accept": MULTIPART})
        assert answer.status_code == status
        assert b"SE-1001" not in answer.data
        assert (b"MH-5501" in answer.data) is (status == 200)
    assert b"MH-5501" not in one[1]
    asked = len(own.first.archive.asked)
    again = ana.look(path, ana.viewer_token())
    assert len(own.first.archive.asked) == asked
    assert file_of(CHEST[0]) in again[1]
    # A second session of another patient at the same hospital finds nothing in the cache either.
    ben = own.signed_in("ben")
    assert ben.look(path, ben.viewer_token())[0] == 404
