"""Searches: whole, bounded, honest about what is missing, and never about anybody else."""

from typing import Any

import pytest

from smartapp.errors import SmartappError, UpstreamDown, UpstreamError, UpstreamMalformed, UpstreamRefused
from smartapp.settings import Upstreams
from tests.fhir_upstream.fake_fhir import Desk, FakeFhir, bundle, fhir, report, study
from tests.launch.server import Asked, Said, said


@pytest.mark.clause("SMART 2.2", "93", "264")
@pytest.mark.promise("A2")
def test_all_pages_are_read_and_every_row_once(desk: Desk, ehr: FakeFhir) -> None:
    def pages(asked: Asked) -> Said:
        if "page" not in asked.query:
            assert asked.query == {"patient": "ana", "_count": "100"}
            return fhir(bundle(study("i1"), study("i2", "1.2.4"), following="?page=2"))
        return fhir(bundle(study("i2", "1.2.4"), study("i3", "1.2.5")))

    ehr.at("ImagingStudy", pages)
    fetched = desk.reader.imaging_studies(desk.index)
    assert [found.uid for found in fetched.items] == ["1.2.3", "1.2.4", "1.2.5"]
    assert fetched.problems == ()
    asked = ehr.asked("ImagingStudy")
    assert {one.headers["authorization"] for one in asked} == {"Bearer token-1"}
    assert desk.house.kinds() == []


@pytest.mark.clause("SMART 2.2", "97", "98", "267", "268")
@pytest.mark.threat("S19")
@pytest.mark.parametrize(
    "link", ["http://127.0.0.1:9/fhir?page=2", "//evil.example/fhir", "http://u@{}/fhir", "file:///x"]
)
def test_a_next_page_elsewhere_is_never_asked_for(desk: Desk, ehr: FakeFhir, link: str) -> None:
    following = link.format(ehr.origin.removeprefix("http://"))
    ehr.at("ImagingStudy", bundle(study(), following=following))
    fetched = desk.reader.imaging_studies(desk.index)
    assert [found.id for found in fetched.items] == ["i1"]
    assert fetched.problems == ("smart.offorigin",)
    assert len(ehr.server.log) == 1
    assert desk.house.severities("smart.offorigin") == ["high"]


@pytest.mark.threat("F9")
@pytest.mark.parametrize("following", ["?patient=ana&_count=100", "?page=1", "?page={n}"])
def test_pages_without_end_come_to_an_end(desk: Desk, ehr: FakeFhir, following: str) -> None:
    def page(_asked: Asked) -> Said:
        number = len(ehr.server.log)
        return fhir(bundle(study(f"i{number}", f"1.2.{number}"), following=following.format(n=number)))

    ehr.at("ImagingStudy", page)
    fetched = desk.reader.imaging_studies(desk.index)
    assert fetched.items
    assert fetched.problems == ("ehr-paging",)
    assert len(ehr.server.log) <= 5


@pytest.mark.threat("F9")
def test_slow_pages_come_to_an_end(desk: Desk, ehr: FakeFhir) -> None:
    def page(_asked: Asked) -> Said:
        desk.house.clock.advance(15)
        return fhir(bundle(following=f"?page={len(ehr.server.log)}"))

    ehr.at("ImagingStudy", page)
    assert desk.reader.imaging_studies(desk.index).problems == ("ehr-paging",)
    assert len(ehr.server.log) == 2


@pytest.mark.threat("F9")
def test_a_page_that_is_too_big_is_refused(desk: Desk, ehr: FakeFhir) -> None:
    ehr.at("ImagingStudy", bundle(study(description="x" * 300_000)))
    with pytest.raises(UpstreamMalformed):
        desk.reader.imaging_studies(desk.index)


@pytest.mark.threat("F9")
def test_many_pages_that_are_big_together_come_to_an_end(desk: Desk, ehr: FakeFhir) -> None:
    ehr.at(
        "ImagingStudy",
        lambda _: fhir(bundle(study(description="x" * 190_000), following=f"?page={len(ehr.server.log)}")),
    )
    limits = Upstreams(max_json_bytes=200_000, max_pages=50)
    assert desk.reader_within(limits).imaging_studies(desk.index).problems == ("ehr-paging",)
    assert len(ehr.server.log) == 5


@pytest.mark.threat("F8")
@pytest.mark.parametrize(
    "answer",
    [
        said(bundle(), media="text/html"),
        Said(b"<html>login</html>", 200, "text/html"),
        Said(b"", 200, "application/fhir+json"),
        Said(b'{"resourceType": "Bundle", "entry": [', 200, "application/fhir+json"),
        Said(b'\xef\xbb\xbf{"resourceType": "Bundle"}', 200, "application/fhir+json"),
        Said('{"resourceType": "Bündle"}'.encode("latin-1"), 200, "application/fhir+json"),
        fhir(bundle(), media="application/fhir+json; charset=iso-8859-1"),
        Said(b'{"resourceType": "Bundle", "resourceType": "Bundle"}', 200, "application/fhir+json"),
        Said(b"[" * 100_000, 200, "application/fhir+json"),
        fhir([]),
        fhir({}),
        fhir({"resourceType": ["Bundle"]}),
        fhir({"resourceType": "OperationOutcome"}),
        fhir(study()),
    ],
)
def test_an_answer_that_is_none_is_no_empty_list(desk: Desk, ehr: FakeFhir, answer: Said) -> None:
    ehr.at("ImagingStudy", answer)
    with pytest.raises(UpstreamMalformed):
        desk.reader.imaging_studies(desk.index)


@pytest.mark.threat("F8")
def test_a_broken_second_page_leaves_nothing_half_read(desk: Desk, ehr: FakeFhir) -> None:
    ehr.at(
        "ImagingStudy",
        lambda asked: (
            Said(b"{", 200, "application/json") if "page" in asked.query else fhir(bundle(study(), following="?page=2"))
        ),
    )
    with pytest.raises(UpstreamMalformed):
        desk.reader.imaging_studies(desk.index)


@pytest.mark.parametrize(
    ("status", "problem"), [(403, "forbidden"), (404, "not-offered"), (400, "not-offered"), (422, "not-offered")]
)
def test_an_ehr_without_the_search_gives_nothing_and_says_so(
    desk: Desk, ehr: FakeFhir, status: int, problem: str
) -> None:
    ehr.at("ImagingStudy", fhir({"resourceType": "OperationOutcome"}, status))
    fetched = desk.reader.imaging_studies(desk.index)
    assert fetched.items == []
    assert fetched.problems == (f"ImagingStudy-{problem}",)


@pytest.mark.threat("F5")
@pytest.mark.threat("F6")
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Said(b"", 503, "text/plain", {"Retry-After": "120"}), UpstreamDown),
        (Said(b"", 429, "text/plain", {"Retry-After": "120"}), UpstreamDown),
        (Said(b"", 500), UpstreamError),
        (Said(b"", 302, "text/html", {"Location": "http://127.0.0.1:9/"}), UpstreamError),
    ],
)
def test_an_ehr_that_does_not_answer(desk: Desk, ehr: FakeFhir, answer: Said, error: type[SmartappError]) -> None:
    ehr.at("ImagingStudy", answer)
    with pytest.raises(error):
        desk.reader.imaging_studies(desk.index)
    assert len(ehr.server.log) == 1


@pytest.mark.threat("S22")
def test_a_refused_token_is_replaced_once(desk: Desk, ehr: FakeFhir) -> None:
    desk.tokens.stock = ["old", "new"]
    ehr.at(
        "ImagingStudy",
        lambda asked: fhir(bundle(study())) if asked.headers["authorization"] == "Bearer new" else fhir({}, 401),
    )
    assert len(desk.reader.imaging_studies(desk.index).items) == 1
    assert desk.tokens.refused == ["old"]


@pytest.mark.threat("S22")
def test_two_refused_tokens_are_enough(desk: Desk, ehr: FakeFhir) -> None:
    desk.tokens.stock = ["a", "b", "c"]
    ehr.at("ImagingStudy", fhir({}, 401))
    with pytest.raises(UpstreamRefused):
        desk.reader.imaging_studies(desk.index)
    assert desk.tokens.refused == ["a", "b"]
    assert len(ehr.server.log) == 2


@pytest.mark.threat("A18")
@pytest.mark.parametrize(
    "subject",
    ["Patient/ben", "Patient/ana2", "Group/ana", "http://other.example/fhir/Patient/ana", "#p", "urn:uuid:1", "",
     "Patient/ana/../ben", "Patient/ana?x"],
)  # fmt: skip
def test_rows_that_are_not_plainly_the_patients_are_withheld_and_reported(
    desk: Desk, ehr: FakeFhir, subject: str
) -> None:
    ehr.at("ImagingStudy", bundle(study("foreign", "1.9", subject), study()))
    fetched = desk.reader.imaging_studies(desk.index)
    assert [found.id for found in fetched.items] == ["i1"]
    assert fetched.problems == ("ImagingStudy-foreign",)
    assert desk.house.severities("ehr.mismatch") == ["high"]


@pytest.mark.parametrize("subject", ["Patient/ana", "{base}/Patient/ana", "Patient/ana/_history/3"])
def test_ways_to_name_the_patient(desk: Desk, ehr: FakeFhir, subject: str) -> None:
    ehr.at("ImagingStudy", bundle(study(subject=subject.format(base=ehr.base))))
    assert [found.subject for found in desk.reader.imaging_studies(desk.index).items] == ["ana"]


def test_half_a_character_does_no_harm(desk: Desk, ehr: FakeFhir) -> None:
    ehr.at("ImagingStudy", bundle(study(description="A\ud800B")))
    assert [found.description for found in desk.reader.imaging_studies(desk.index).items] == ["A?B"]


def test_a_server_that_answers_everything_and_an_outcome(desk: Desk, ehr: FakeFhir) -> None:
    hint = {"resourceType": "OperationOutcome", "issue": [{"severity": "information"}]}
    ehr.at("DiagnosticReport", bundle(report(), report("r2", "Patient/ben"), study(), hint))
    fetched = desk.reader.reports(desk.index)
    assert [found.id for found in fetched.items] == ["r1"]
    assert fetched.problems == ("DiagnosticReport-foreign",)


def test_an_outcome_that_reports_an_error_is_passed_on(desk: Desk, ehr: FakeFhir) -> None:
    ehr.at("ImagingStudy", bundle({"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}))
    assert desk.reader.imaging_studies(desk.index).problems == ("ehr-outcome",)


@pytest.mark.parametrize(
    "row",
    [
        {"resourceType": "ImagingStudy"},
        {"resourceType": "ImagingStudy", "id": "../x"},
        {"resourceType": "ImagingStudy", "id": 7},
        {},
        study(identifier=[]),
        study(identifier="1.2.3"),
        study(uid="1.2.x"),
        study(uid="1" * 65),
        study(identifier=[{"system": "urn:dicom:uid", "value": v} for v in ("1.2", "1.3")]),
    ],
)
def test_a_row_that_cannot_be_read_is_reported_not_dropped_in_silence(
    desk: Desk, ehr: FakeFhir, row: dict[str, Any]
) -> None:
    ehr.at("ImagingStudy", bundle(row, study("good", "1.2.9")))
    fetched = desk.reader.imaging_studies(desk.index)
    assert [found.id for found in fetched.items] == ["good"]
    assert fetched.problems == ("ImagingStudy-unreadable",)


@pytest.mark.threat("F9")
@pytest.mark.parametrize("status", [400, 403, 404, 405, 422])
def test_a_next_page_that_is_not_there_ends_the_search_with_a_word(desk: Desk, ehr: FakeFhir, status: int) -> None:
    ehr.at("ImagingStudy", bundle(study(), following="ImagingStudy/page-2"))
    ehr.at("ImagingStudy/page-2", fhir({}, status))
    found = desk.reader.imaging_studies(desk.index)
    assert ([each.uid for each in found.items], found.problems) == (["1.2.3"], ("ehr-paging",))
