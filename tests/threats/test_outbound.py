"""Where the process connects to, whatever it is told: recorded at the sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dicomweb_upstream.archive import Asked, Reply, rows_reply
from tests.fhir_upstream.fake_fhir import bundle, fhir, report, study
from tests.launch.server import Said, said
from tests.support.upstream import WireServer, answering, wire_server
from tests.support.upstream import answer as wire_answer
from tests.threats.composed import Composed
from tests.threats.connections import configured, recorded
from tests.threats.hospital import Hospital, Record


@pytest.fixture(scope="module")
def trap() -> Iterator[WireServer]:
    """Somebody's server on this machine, which nobody configured."""
    with wire_server(answering(wire_answer(b"{}", "200 OK", "Content-Type: application/fhir+json"))) as server:
        yield server


SPELLINGS = [
    "http://{h}/fhir", "http://127.1:{p}/fhir", "http://0:{p}/fhir", "http://2130706433:{p}/fhir",
    "http://0x7f.1:{p}/fhir", "http://0177.0.0.1:{p}/fhir", "http://[::1]:{p}/fhir", "http://[::ffff:127.0.0.1]:{p}/fhir",
    "http://localhost.:{p}/fhir", "http://localhost:{p}/fhir", "https://{h}/fhir", "//{h}/fhir",
    "http://169.254.169.254/latest/meta-data", "http://metadata.google.internal/", "http://10.0.0.1/fhir",
    "http://100.64.0.1/fhir", "file:///etc/passwd", "gopher://{h}/_x", "ftp://{h}/", "http://{h}:22/", "http://①27.0.0.1/",
    "{own}@{h}/fhir", "{own}.evil.example/fhir", "http://user:pw@{h}/fhir", "http://{h}\\@x/", "http://{h}#{own}",
    "http://{h}/?{own}", "http:\\\\{h}\\fhir", "\thttp://{h}/fhir", "http://{h}%0d%0aX:y/", "data:text/html,x",
    "javascript:1",
]  # fmt: skip
"""`{h}` is a server that nobody configured, `{p}` its port, `{own}` the hospital's own origin."""


def spelled(template: str, trap: WireServer, hospital: Hospital) -> str:
    parts = urlsplit(trap.origin)
    return template.format(h=parts.netloc, p=parts.port, own=hospital.ehr.origin)


ISS = [
    *SPELLINGS, "{iss}/", "{iss}?x", "{iss}#x", "{iss}/../fhir", "{iss}/%2e%2e/fhir", "{iss}\r\nX: y", " {iss}",
    "{iss}\x00",
    "{iss}/.well-known/smart-configuration", "{upper}", "{own}//fhir", "{own}/%66hir", "{iss}" + "a" * 5000, "",
]  # fmt: skip


@pytest.mark.threat("S1")
@pytest.mark.threat("S2")
@pytest.mark.threat("S3")
@pytest.mark.threat("P12")
@pytest.mark.parametrize("template", ISS)
def test_a_launch_from_elsewhere_sends_no_packet(shared: Composed, trap: WireServer, template: str) -> None:
    iss = shared.first.ehr.iss
    url = spelled(template.replace("{iss}", iss).replace("{upper}", iss.upper()), trap, shared.first)
    calls, kinds = shared.calls(), len(shared.kinds())
    with recorded() as seen:
        answer = shared.browser().get("/launch", query_string={"iss": url, "launch": "x"})
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert (seen.peers, seen.names) == (set(), set())
    assert shared.calls() == calls
    if 0 < len(url) < 2000:
        assert shared.kinds()[kinds:] in (["smart.iss.unknown"], ["ssrf.blocked"])


@pytest.mark.threat("S1")
@pytest.mark.parametrize(
    "query",
    ["", "iss={iss}", "launch=x", "iss={iss}&iss={iss}&launch=x", "iss={iss}&launch=x&launch=y", "iss={iss}&launch="],
)
def test_half_a_launch_sends_no_packet(shared: Composed, query: str) -> None:
    with recorded() as seen:
        answer = shared.browser().get(f"/launch?{query.replace('{iss}', shared.first.ehr.iss)}")
    assert answer.status_code == 400
    assert seen.peers == set()


METADATA: dict[str, Any] = {
    "an issuer elsewhere": {"issuer": "{h}"},
    "a token endpoint elsewhere": {"token_endpoint": "{h}/token"},
    "an authorization endpoint elsewhere": {"authorization_endpoint": "{h}/authorize"},
    "keys elsewhere": {"jwks_uri": "{h}/keys"},
    "no S256": {"code_challenge_methods_supported": ["plain"]},
    "no methods": {"code_challenge_methods_supported": None},
    "a file": {"token_endpoint": "file:///etc/passwd"},
    "metadata of a cloud": {"jwks_uri": "http://169.254.169.254/keys"},
}


@pytest.mark.clause("SMART 2.2", "1")
@pytest.mark.threat("S4")
@pytest.mark.threat("P12")
@pytest.mark.parametrize("change", METADATA)
def test_discovery_that_points_elsewhere_is_not_followed(own: Composed, trap: WireServer, change: str) -> None:
    hospital = own.first
    for name, value in METADATA[change].items():
        hospital.ehr.metadata[name] = value.replace("{h}", trap.origin) if isinstance(value, str) else value
    _assert_not_launched(own, trap)


WELL_KNOWN: dict[str, Said] = {
    "a redirect": Said(b"", 302, headers={"Location": "{h}"}),
    "HTML": Said(b"<html>sign in</html>", 200, "text/html"),
    "a giant": Said(b'{"x": "' + b"a" * 6_000_000 + b'"}'),
    "nothing": Said(b"", 404),
    "a list": said([1]),
    "no JSON": Said(b"{"),
}


@pytest.mark.threat("S4")
@pytest.mark.threat("P12")
@pytest.mark.parametrize("kind", WELL_KNOWN)
def test_discovery_that_is_none_is_not_used(own: Composed, trap: WireServer, kind: str) -> None:
    told = WELL_KNOWN[kind]
    headers = {name: value.replace("{h}", trap.origin) for name, value in told.headers.items()}
    own.first.ehr.server.at("/fhir/.well-known/smart-configuration", Said(told.body, told.status, told.media, headers))
    _assert_not_launched(own, trap)


def _assert_not_launched(own: Composed, trap: WireServer) -> None:
    """No redirect, no session, nobody else asked; the other hospital's people come in as ever."""
    asked = len(trap.requests)
    with recorded() as seen:
        browser = own.browser()
        for answer in (browser.launch(own.first), browser.launch(own.first)):
            assert answer.status_code in {400, 502, 503}
            assert "Location" not in answer.headers
            assert browser.cookie() == ""
    assert seen.peers <= configured(own.first)
    assert len(trap.requests) == asked
    assert any(kind in {"smart.discovery.bad", "smart.iss.unknown"} for kind in own.kinds()) or answer.status_code > 500
    assert own.signed_in("m-ana", own.second).my().status_code == 200


@pytest.mark.clause("SMART 2.2", "97", "98")
@pytest.mark.threat("S19")
@pytest.mark.threat("P12")
@settings(max_examples=20, deadline=None)
@given(
    template=st.one_of(st.sampled_from(SPELLINGS), st.text(max_size=30)),
    places=st.sets(
        st.sampled_from(["next", "study", "report", "finding", "form", "endpoint", "rows", "redirect"]), min_size=1
    ),
)
def test_no_address_in_any_answer_is_followed_elsewhere(
    shared: Composed, trap: WireServer, template: str, places: set[str]
) -> None:
    """A patient of its own for each example; every page and route of the record is opened."""
    url = spelled(template, trap, shared.first) if template in SPELLINGS else template
    hospital = shared.first
    patient = f"eve-{len(hospital.records)}"
    hospital.take_in(_record(patient, url, places))
    asked = len(trap.requests)
    hospital.archive.script = lambda told: _archive_answer(shared, told, url, places)
    try:
        with recorded() as seen:
            _walk(shared, patient)
    finally:
        hospital.archive.script = lambda _asked: None
    assert seen.peers <= configured(hospital)
    assert len(trap.requests) == asked
    for request in hospital.ehr.server.log:
        assert f"canary-access-st-elsewhere-{patient}" not in json.dumps([request.path, request.query])
    assert not any("authorization" in {name.lower() for name in told.headers} for told in hospital.archive.asked)


def _record(patient: str, url: str, places: set[str]) -> Record:
    def at(place: str, honest: str) -> str:
        return url if place in places else honest

    subject = f"Patient/{patient}"
    endpoint = {"resourceType": "Endpoint", "id": "e1", "address": at("endpoint", "x")}
    scan = study("i1", "1.2.3", subject, endpoint=[{"reference": at("endpoint", "#e1")}], contained=[endpoint])
    form = {"contentType": "text/plain", "url": at("form", "Binary/none"), "title": "x"}
    paper = report(
        f"rep-{patient}", subject, imagingStudy=[{"reference": "ImagingStudy/i1"}, {"reference": at("study", "x")}],
        result=[{"reference": at("finding", "#none")}], presentedForm=[form], basedOn=[{"reference": at("report",
        "x")}],
        performer=[{"reference": at("report", "x")}],
        text={"div": f'<div><img src="{url}"><a href="{url}">x</a></div>'},
        media=[{"link": {"reference": at("form", "x")}}],
    )  # fmt: skip
    record = Record(patient, "Eve", "SE-1001", [scan], [paper])
    if "next" in places:
        record.following = url
    return record


def _archive_answer(shared: Composed, asked: Asked, url: str, places: set[str]) -> Reply | None:
    honest = shared.first.archive._honest(asked)
    printable = url.isascii() and url.isprintable()
    if "redirect" in places and printable and asked.path.endswith("/instances/1.2.3.1.1"):
        return Reply(302, headers={"Location": url})
    if "rows" not in places or "json" not in honest.content_type:
        return None
    rows = json.loads(honest.content)
    for row in rows:
        row["00081190"] = {"vr": "UR", "Value": [url]}
        row["7FE00010"] = {"vr": "OW", "BulkDataURI": url}
    return rows_reply(rows)


def _walk(shared: Composed, patient: str) -> None:
    browser = shared.signed_in(patient)
    token = browser.viewer_token()
    series = "/studies/1.2.3/series/1.2.3.1"
    browser.my()
    page = browser.my("studies/1.2.3")
    assert page.status_code == 200
    for path in (f"studies/1.2.3/reports/rep-{patient}/attachments/0", "studies/1.2.3/series/1.2.3.1/thumbnail"):
        assert browser.my(path).status_code in {200, 404, 502, 503}
    for path in ("/studies", f"{series}/metadata", f"{series}/instances/1.2.3.1.1/bulkdata/7FE00010"):
        assert browser.dicomweb(path, token).status_code in {200, 204, 404, 502, 503}


@pytest.mark.threat("S19")
def test_a_page_that_leads_away_is_said_to_be_incomplete(own: Composed, trap: WireServer) -> None:
    rows = bundle(study("i1", "1.2.3", "Patient/ana"), following=f"{trap.origin}/fhir/ImagingStudy?page=2")
    own.first.ehr.server.at("/fhir/ImagingStudy", fhir(rows))
    page = own.signed_in().my()
    assert "This page may be incomplete." in page.text
    assert "smart.offorigin" in own.kinds()
