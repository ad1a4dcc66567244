"""What the machine found once, each by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.fhir_facade.app import Clinic, clinic
from tests.gateway.app import MULTIPART
from tests.properties.hospital import Finding, Wing, first_wing, people
from tests.properties.release import STRICT
from tests.properties.scans import Scan, Series
from tests.properties.surface import DICOM, FHIR, Surface
from tests.support.databases import SqliteFiles
from tests.threats.hospital import Hospital

CT_OF_HEADS: dict[str, Any] = {"modalities": frozenset({"CT"}), "body_sites": frozenset({"69536005"})}
MIXED = Scan("1.2.5", "20260801", (Series("1.2.5.1", "CT", "CHEST"), Series("1.2.5.2", "MR", "HEAD")))


@pytest.fixture
def own(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with clinic(sqlite_files, tmp_path_factory.mktemp("found")) as running:
        people(running.composed.first)
        yield running


@pytest.fixture
def ruled(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """A hospital that has reports wait."""
    provider = Hospital.provider
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Hospital, "provider", lambda self, **more: replace(provider(self, **more), jurisdiction="strict"))
        with clinic(sqlite_files, tmp_path_factory.mktemp("ruled"), jurisdictions=(STRICT,)) as running:
            people(running.composed.first)
            yield running


def show(clinic_: Clinic, *scans: Scan, age: int = 121, findings: Sequence[Finding] = ()) -> Wing:
    """The record with these studies and reports besides, after the index has grown old."""
    wing = first_wing()
    wing.findings.update({finding.id: finding for finding in findings})
    for scan in scans:
        wing.change(scan)
    wing.show(clinic_.composed.first)
    clinic_.composed.clock.advance(age)
    return wing


def uids(surface: Surface) -> tuple[set[str], set[str]]:
    """The studies as FHIR lists them, and as DICOMweb does."""
    listed = surface.resources("/ImagingStudy")
    return (
        {each["identifier"][0]["value"].removeprefix("urn:oid:") for each in listed},
        {row["0020000D"]["Value"][0] for row in surface.rows("/studies")},
    )


@pytest.mark.promise("B3")
@pytest.mark.threat("P7", "A12")
@pytest.mark.parametrize("told", [None, MIXED.series[:1], MIXED.series])
def test_a_study_without_a_series_of_the_kinds_that_were_allowed_is_nowhere(own: Clinic, told: Any) -> None:
    """It has a CT, and something of a head; and no CT of a head."""
    show(own, replace(MIXED, told=told))
    surface = Surface(own.app(**CT_OF_HEADS))
    assert uids(surface) == ({"1.2.2"}, {"1.2.2"})
    for path in ("/studies/{0}/series", "/studies/{0}/metadata", "/studies/{0}/instances"):
        assert surface.status(DICOM + path, "1.2.5") == 404
    assert surface.status(f"{DICOM}/studies/{{0}}", "1.2.5", accept=MULTIPART) == 404
    assert surface.status(f"{FHIR}/ImagingStudy/{{id}}", "1.2.5") == 404
    assert surface.resources("/ImagingStudy?modality=MR") == []


@pytest.mark.promise("B3")
@pytest.mark.threat("P7")
def test_a_study_that_the_archive_alone_tells_of_counts_by_its_series(own: Clinic) -> None:
    show(own, replace(MIXED, series=(*MIXED.series, Series("1.2.5.3", "CT", "HEAD"))))
    surface = Surface(own.app(**CT_OF_HEADS))
    assert uids(surface) == ({"1.2.2", "1.2.5"}, {"1.2.2", "1.2.5"})
    (study,) = surface.resources("/ImagingStudy?identifier=1.2.5")
    assert [each["uid"] for each in study["series"]] == ["1.2.5.3"]


@pytest.mark.promise("E1")
def test_that_the_archive_is_asked_for_series_is_written_down_once_for_all_studies(own: Clinic) -> None:
    show(own, MIXED)
    surface = Surface(own.app(**CT_OF_HEADS))
    before, asked = own.kinds().count("access.index"), own.composed.first.archive.asked
    already = len(asked)
    assert uids(surface) == ({"1.2.2"}, {"1.2.2"})
    assert any(each.path.endswith("/series") for each in asked[already:])
    assert own.kinds().count("access.index") - before == 2, "one for the index, one for the series"


@pytest.mark.promise("B3")
@pytest.mark.threat("P6")
def test_what_is_hidden_of_a_study_moves_no_date_and_what_is_seen_does(own: Clinic) -> None:
    wing = show(own, MIXED)
    surface = Surface(own.app(modalities=frozenset({"CT"})))
    surface.resources("/ImagingStudy")  # what was never shown is new
    (before,) = surface.resources("/ImagingStudy?identifier=1.2.5")
    hidden = replace(MIXED, series=(*MIXED.series, Series("1.2.5.3", "MR", "HEAD")))
    show(own, hidden)
    (same,) = surface.resources("/ImagingStudy?identifier=1.2.5")
    assert same == before
    assert wing.scans["1.2.5"] != hidden
    show(own, replace(hidden, series=(replace(MIXED.series[0], count=2), *hidden.series[1:])))
    (after,) = surface.resources("/ImagingStudy?identifier=1.2.5")
    assert after["meta"]["lastUpdated"] > before["meta"]["lastUpdated"]
    since = before["meta"]["lastUpdated"]
    assert [each["id"] for each in surface.resources(f"/ImagingStudy?_lastUpdated=gt{since}")] == [after["id"]]


@pytest.mark.promise("E8")
@pytest.mark.threat("F3")
def test_an_archive_that_swapped_a_series_is_asked_anew(own: Clinic) -> None:
    """Its counts are what they were: what was kept still names the one that went."""
    show(own, MIXED)
    surface = Surface(own.app())
    assert len(surface.rows("/studies/{0}/series", "1.2.5")) == 2
    show(own, replace(MIXED, series=(MIXED.series[0], Series("1.2.5.4", "MR", "HEAD"))))
    assert surface.status(f"{DICOM}/studies/{{0}}/instances", "1.2.5") == 502
    listed = {row["0020000E"]["Value"][0] for row in surface.rows("/studies/{0}/instances", "1.2.5")}
    assert listed == {"1.2.5.1", "1.2.5.4"}


@pytest.mark.promise("B2")
@pytest.mark.threat("D12")
def test_a_name_in_the_pixels_that_was_found_out_later_is_believed(own: Clinic) -> None:
    """Nothing is counted anew when an archive corrects what it says of a picture."""
    scan = Scan("1.2.5", "20260801", (Series("1.2.5.1", count=2),))
    show(own, scan)
    surface = Surface(own.app(images="deidentified", reports=False))
    assert len(surface.rows("/studies/{0}/instances", "1.2.5")) == 2
    show(own, replace(scan, series=(replace(scan.series[0], burned=frozenset({2})),)), age=601)
    assert len(surface.rows("/studies/{0}/instances", "1.2.5")) == 1
    place = f"{DICOM}/studies/{{0}}/series/{{1}}/instances/{{2}}/metadata"
    assert surface.status(place, "1.2.5", "1.2.5.1", "1.2.5.1.2") == 404


@pytest.mark.promise("A2", "B3")
@pytest.mark.threat("P7")
@pytest.mark.parametrize("terms", [{}, {"body_sites": frozenset({"69536005"})}])
def test_a_study_is_not_found_by_a_document_that_waits(ruled: Clinic, terms: dict[str, Any]) -> None:
    """Its report is held back for an hour; the document among the pictures may say the same."""
    series = (Series("1.2.5.1", "MR", "HEAD"), Series("1.2.5.2", "SR", "HEAD"))
    waiting = Finding("r4", ("1.2.5",), issued=ruled.composed.clock.now())
    show(ruled, Scan("1.2.5", "20260801", series, told=series), findings=[waiting])
    surface = Surface(ruled.app(**terms))
    assert [kinds(each) for each in surface.resources("/ImagingStudy?identifier=1.2.5")] == [{"MR"}]
    assert surface.resources("/ImagingStudy?modality=SR") == surface.rows("/studies?ModalitiesInStudy=SR") == []
    ruled.composed.clock.advance(3 * 3600)
    ruled.forget_credentials()
    later = Surface(ruled.app(**terms))
    assert [kinds(each) for each in later.resources("/ImagingStudy?modality=SR")] == [{"MR", "SR"}]


@pytest.mark.promise("A2", "B3")
@pytest.mark.threat("P7")
def test_a_report_that_waited_is_new_when_its_time_has_come(ruled: Clinic) -> None:
    """The EHR wrote it long before, and an app that asks what is new since its last look must not miss it."""
    scan = Scan("1.2.5", "20260801", MIXED.series[:1], told=MIXED.series[:1])
    show(ruled, scan, findings=[Finding("r4", ("1.2.5",), issued=ruled.composed.clock.now())])
    assert "r4" not in {each["id"] for each in Surface(ruled.app()).resources("/DiagnosticReport")}
    since = f"{ruled.composed.clock.now():%Y-%m-%dT%H:%M:%SZ}"
    ruled.composed.clock.advance(3600)
    ruled.forget_credentials()
    surface = Surface(ruled.app())
    assert [each["id"] for each in surface.resources(f"/DiagnosticReport?_lastUpdated=gt{since}")] == ["r4"]
    assert len(surface.resources(f"/DocumentReference?_lastUpdated=gt{since}")) == 1
    assert "r4" not in {each["id"] for each in surface.resources(f"/DiagnosticReport?_lastUpdated=lt{since}")}


def kinds(study: dict[str, Any]) -> set[str]:
    return {each["code"] for each in study["modality"]}


@pytest.mark.promise("B3")
@pytest.mark.threat("P6")
def test_a_place_that_the_ehr_names_besides_moves_no_date(own: Clinic) -> None:
    """The archive says HEAD, the EHR says so by a code: the app is shown the same with both and with one."""
    wing = show(own)
    surface = Surface(own.app(modalities=frozenset({"PT"})))
    before = surface.app.json("/ImagingStudy")
    assert before["total"] == 1
    show(own, replace(wing.scans["1.2.2"], told=None))
    assert surface.app.json("/ImagingStudy") == before
