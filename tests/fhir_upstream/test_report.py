"""A report to be read: its words, its findings, its files, and nothing that acts."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.consent.model import Action
from smartapp.errors import AccessDenied, NotFound, UpstreamMalformed, UpstreamMismatch
from smartapp.fhir.upstream import attachments
from smartapp.fhir.upstream.model import Observation
from smartapp.fhir.upstream.narrative import clean
from tests.fhir_upstream.fake_fhir import Desk, FakeFhir, fhir, report
from tests.launch.server import Asked, Said


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def finding(id_: str = "o1", subject: str = "Patient/ana") -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": id_, "status": "final", "subject": {"reference": subject},
        "code": {"text": "Nodule"}, "valueQuantity": {"value": 5, "unit": "mm"},
    }  # fmt: skip


@pytest.mark.promise("A2")
def test_a_report_in_full(desk: Desk, ehr: FakeFhir) -> None:
    ehr.at("Observation/o1", finding())
    ehr.at("Practitioner/lee", {"resourceType": "Practitioner", "id": "lee", "name": [{"text": "Dr. Lee"}]})
    ehr.at("Organization/se", {"resourceType": "Organization", "id": "se", "name": "St. Elsewhere"})
    ehr.at("Binary/t1", Said(b"By address", 200, "text/plain"))
    ehr.at(
        "DiagnosticReport/r1",
        report(
            issued="2026-09-17T15:10:00-05:00",
            conclusion="One nodule.",
            result=[{"reference": "Observation/o1"}, {"reference": "#c1"}],
            contained=[{"resourceType": "Observation", "id": "c1", "code": {"text": "Heart"}, "valueString": "normal"}],
            resultsInterpreter=[{"reference": "Practitioner/lee"}],
            performer=[{"reference": "Organization/se"}, {"display": "Night reading"}, {"reference": "https://x/y/1"}],
            text={"div": '<div><p onclick="x()">Findings</p><img src="https://evil/b.png"></div>'},
            presentedForm=[
                {"contentType": "text/plain; charset=iso-8859-1", "data": b64("Größe <b>5</b>".encode("latin-1"))},
                {"contentType": "text/html", "data": b64(b"<h1>Report</h1><script>alert(1)</script>")},
                {"contentType": "application/pdf", "url": f"{ehr.base}/Binary/b1", "title": "Signed report"},
                {"contentType": "text/plain", "url": "Binary/t1"},
            ],
        ),
    )
    found = desk.reader.report(desk.permit(), "r1")
    assert (found.status, found.title, found.conclusion) == ("final", "CT chest", "One nodule.")
    assert found.texts == ("Größe <b>5</b>", "By address")
    assert found.narrative_html == "<div><p>Findings</p></div>\n<h1>Report</h1>"
    assert found.observations == (Observation("Nodule", "5 mm", "final"), Observation("Heart", "normal", ""))
    assert found.performers == ("Dr. Lee", "St. Elsewhere", "Night reading")
    assert [(one.index, one.content_type, one.title) for one in found.attachments][2] == (
        2, "application/pdf", "Signed report",
    )  # fmt: skip
    assert found.problems == ()
    assert desk.checks >= 1


def test_what_cannot_be_read_is_missing_and_said(desk: Desk, ehr: FakeFhir) -> None:
    ehr.at("Observation/o2", finding("o2", "Patient/ben"))
    ehr.at(
        "DiagnosticReport/r1",
        report(
            result=[{"reference": name} for name in ("Observation/gone", "Observation/o2", "https://x/Observation/1")],
            presentedForm=[{"contentType": "text/plain", "data": "!!"}, {"contentType": "text/plain"}],
            conclusionCode=[{"text": "Normal"}],
        ),
    )
    found = desk.reader.report(desk.permit(), "r1")
    assert found.observations == ()
    assert set(found.problems) == {"report-finding", "report-text"}
    assert found.conclusion == "Normal"


@pytest.mark.clause("SMART 2.2", "97", "98", "267", "268")
@pytest.mark.threat("S19")
@pytest.mark.parametrize("url", ["http://127.0.0.1:9/fhir/Binary/1", "//evil/Binary/1", "data:text/html,x", "../x", ""])
def test_an_attachment_elsewhere_is_not_fetched(desk: Desk, ehr: FakeFhir, url: str) -> None:
    ehr.at("DiagnosticReport/r1", report(presentedForm=[{"contentType": "application/pdf", "url": url}]))
    with pytest.raises(NotFound):
        desk.reader.attachment(desk.permit(), "r1", 0)
    assert [asked.path for asked in ehr.server.log] == ["/fhir/DiagnosticReport/r1"]


@pytest.mark.promise("A2")
@pytest.mark.parametrize("as_json", [True, False])
def test_a_file_comes_as_it_is_whichever_way_the_ehr_gives_it(desk: Desk, ehr: FakeFhir, *, as_json: bool) -> None:
    def binary(asked: Asked) -> Said:
        assert asked.headers["accept"].startswith("application/pdf")
        data = {"resourceType": "Binary", "id": "b1", "contentType": "application/pdf", "data": b64(b"%PDF-1.7")}
        return fhir(data) if as_json else Said(b"%PDF-1.7", 200, "application/pdf")

    ehr.at("Binary/b1", binary)
    forms = [{"contentType": "APPLICATION/PDF; x=y", "url": "Binary/b1"}, {"contentType": "<b>", "data": b64(b"x")}]
    ehr.at("DiagnosticReport/r1", report(presentedForm=forms))
    assert desk.reader.attachment(desk.permit(), "r1", 0) == ("application/pdf", b"%PDF-1.7")
    assert desk.reader.attachment(desk.permit(), "r1", 1) == ("application/octet-stream", b"x")
    for index in (-1, 2):
        with pytest.raises(NotFound):
            desk.reader.attachment(desk.permit(), "r1", index)


@pytest.mark.parametrize("row", [{"resourceType": "Patient", "id": "b1"}, {"resourceType": "Binary", "data": 7}])
def test_a_binary_that_is_none(desk: Desk, ehr: FakeFhir, row: dict[str, Any]) -> None:
    ehr.at("Binary/b1", row)
    ehr.at("DiagnosticReport/r1", report(presentedForm=[{"contentType": "application/pdf", "url": "Binary/b1"}]))
    with pytest.raises(UpstreamMalformed):
        desk.reader.attachment(desk.permit(), "r1", 0)


def test_a_file_may_be_bigger_than_a_resource(desk: Desk, ehr: FakeFhir) -> None:
    assert desk.house.settings.upstreams.max_json_bytes == 200_000
    ehr.at("Binary/b1", Said(b"x" * 300_000, 200, "application/pdf"))
    ehr.at("DiagnosticReport/r1", report(presentedForm=[{"contentType": "application/pdf", "url": "Binary/b1"}]))
    assert len(desk.reader.attachment(desk.permit(), "r1", 0)[1]) == 300_000


@pytest.mark.threat("F9")
def test_a_file_that_is_too_big_is_refused(desk: Desk, ehr: FakeFhir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MAX_BYTES", 1000)
    ehr.at("Binary/b1", Said(b"x" * 1001, 200, "application/pdf"))
    ehr.at("DiagnosticReport/r1", report(presentedForm=[{"contentType": "application/pdf", "url": "Binary/b1"}]))
    with pytest.raises(UpstreamMalformed):
        desk.reader.attachment(desk.permit(), "r1", 0)


@pytest.mark.parametrize("action", [Action.LIST, Action.VIEW_IMAGES])
def test_a_permit_for_something_else_reads_no_report(desk: Desk, ehr: FakeFhir, action: Action) -> None:
    with pytest.raises(AccessDenied):
        desk.reader.report(desk.permit(action), "r1")
    with pytest.raises(AccessDenied):
        desk.reader.attachment(desk.permit(action), "r1", 0)
    assert ehr.server.log == []


@pytest.mark.parametrize("report_id", ["", "..", ".", "a/b", "a?b", "r1#", "r1\n", "é", "a" * 65, "../Patient/ben"])
def test_an_id_that_is_none_is_not_found_and_asks_nobody(desk: Desk, ehr: FakeFhir, report_id: str) -> None:
    with pytest.raises(NotFound):
        desk.reader.report(desk.permit(), report_id)
    assert ehr.server.log == []


@pytest.mark.threat("A18")
@pytest.mark.parametrize("subject", ["Patient/ben", "#p", ""])
def test_a_report_of_somebody_else_is_a_mismatch_and_loud(desk: Desk, ehr: FakeFhir, subject: str) -> None:
    ehr.at("DiagnosticReport/r1", report(subject=subject, presentedForm=[{"data": b64(b"x")}]))
    with pytest.raises(UpstreamMismatch):
        desk.reader.report(desk.permit(), "r1")
    with pytest.raises(UpstreamMismatch):
        desk.reader.attachment(desk.permit(), "r1", 0)
    assert desk.house.severities("ehr.mismatch") == ["high", "high"]


@pytest.mark.threat("D17")
@pytest.mark.threat("D18")
@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>a</p><script>b</script>", "<p>a</p>"),
        ("<svg><script>x</script></svg>b", "b"),
        ('<a href="javascript:x">a</a>', "a"),
        ('<a href="https://evil/">a</a>', "a"),
        ('<p style="background:url(//evil)">a</p>', "<p>a</p>"),
        ('<p class="x" id="y">a</p>', "<p>a</p>"),
        ("<style>p{}</style><!-- c -->a", "a"),
        ('<table><tr><td colspan="2" background="//e">a</td></tr></table>',
         '<table><tbody><tr><td colspan="2">a</td></tr></tbody></table>'),
        ('<iframe src="//evil">x</iframe>', ""),
        ('<form action="//evil"><input name="x"></form>', ""),
        ("a" * (512 * 1024 + 1), ""),
    ],
)  # fmt: skip
def test_narrative(html: str, expected: str) -> None:
    assert clean(html) == expected


@given(
    st.lists(
        st.sampled_from(
            ["<img src=//e>", "<a href=//e onclick=x>", "<svg/onload=x>", "<p style='x:url(//e)'>", "<b>", "</b>",
             "<math><style>", "<noscript>", "--><!--", "<!--", "text", "&lt;script&gt;", "<template>",
             "<base href=//e>"]
        ),
        max_size=8,
    ).map("".join)
)  # fmt: skip
def test_nothing_that_acts_or_fetches_is_left_of_any_narrative(html: str) -> None:
    from html.parser import HTMLParser

    class Seen(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag not in {"a", "img", "svg", "script", "style", "base", "math", "noscript", "template"}
            assert not attrs

    Seen().feed(clean(html))
