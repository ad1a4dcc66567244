"""A grant of de-identified images names what can be shown, and nothing else: FHIR, QIDO and WADO agree, at any size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from smartapp.consent.grants.model import Terms
from smartapp.consent.scopes.grammar import parse
from smartapp.exchange.grants.model import Preview
from smartapp.identity.model import Principal
from smartapp.records.pictures import PICTURES_UNREAD
from tests.dicomweb_upstream.archive import Reply
from tests.fhir_facade.app import EVERYTHING, Clinic, clinic
from tests.gateway.app import MULTIPART
from tests.properties.hospital import Finding, first_wing, people
from tests.properties.scans import Scan, Series
from tests.properties.surface import DICOM, FHIR, Probe, Surface
from tests.support.databases import SqliteFiles

BURNED = frozenset({1})
AT_ONCE = 24
"""So many questions of one kind a list may cost the archive."""
HIDDEN = Scan("1.2.5", "20260801", (Series("1.2.5.1", burned=BURNED), Series("1.2.5.2", "SR")))
PART = Scan("1.2.6", "20260802", (Series("1.2.6.1", "PT", burned=BURNED), Series("1.2.6.2", "CT", count=2)))
HALF = Scan("1.2.7", "20260803", (Series("1.2.7.1", "MR", count=2, burned=BURNED), Series("1.2.7.2", "SR")))


@pytest.fixture
def own(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with clinic(sqlite_files, tmp_path_factory.mktemp("pictures")) as running:
        people(running.composed.first)
        yield running


def show(clinic_: Clinic, *scans: Scan, alone: bool = False, findings: tuple[Finding, ...] = ()) -> None:
    """The record with these studies besides (or `alone`), after the index has grown old."""
    wing = first_wing()
    if alone:
        wing.scans.clear()
        wing.findings.clear()
    for scan in scans:
        wing.change(scan)
    wing.findings.update({each.id: each for each in findings})
    wing.show(clinic_.composed.first)
    clinic_.composed.clock.advance(121)


def studies(surface: Surface, query: str = "") -> dict[str, dict[str, Any]]:
    """The studies as FHIR lists them, by their UIDs."""
    found = surface.resources(f"/ImagingStudy{query}")
    return {each["identifier"][0]["value"].removeprefix("urn:oid:"): each for each in found}


def rows(surface: Surface, query: str = "") -> dict[str, dict[str, Any]]:
    return {row["0020000D"]["Value"][0]: row for row in surface.rows(f"/studies{query}")}


def deidentified(clinic_: Clinic, **terms: Any) -> Surface:
    return Surface(clinic_.app(images="deidentified", **terms))


@pytest.mark.promise("B3")
@pytest.mark.threat("P7")
@pytest.mark.parametrize("terms", [{}, {"modalities": frozenset({"CT", "SR"})}])
@pytest.mark.parametrize("told", [None, HIDDEN.series])
def test_a_study_of_which_nothing_may_be_shown_is_nowhere(own: Clinic, terms: dict[str, Any], told: Any) -> None:
    """Its CT has a name in the pixels, and its report object is none."""
    show(own, replace(HIDDEN, told=told))
    surface = deidentified(own, reports=False, **terms)
    shown = surface.shown("1.2.5")
    assert shown not in studies(surface)
    assert shown not in rows(surface)
    assert studies(surface, f"?identifier={shown}") == rows(surface, f"?StudyInstanceUID={shown}") == {}
    assert studies(surface, "?modality=SR") == {}
    page = surface.app.json("/ImagingStudy?_summary=count")
    assert page["total"] == len(studies(surface))
    for path in ("/studies/{0}/series", "/studies/{0}/metadata", "/studies/{0}/instances"):
        assert surface.status(DICOM + path, "1.2.5") == 404
    assert surface.status(f"{DICOM}/studies/{{0}}", "1.2.5", accept=MULTIPART) == 404
    assert surface.status(f"{FHIR}/ImagingStudy/{{id}}", "1.2.5") == 404


@pytest.mark.promise("B3")
@pytest.mark.threat("P7")
def test_only_what_can_be_shown_of_a_study_is_named_and_counted(own: Clinic) -> None:
    """A PET with names in its pixels beside a CT, and an MR of which one picture may be shown."""
    show(own, PART, HALF)
    surface = deidentified(own, reports=False)
    for scan, kinds, instances in ((PART, ["CT"], 2), (HALF, ["MR"], 1)):
        told, row = studies(surface)[surface.shown(scan.uid)], rows(surface)[surface.shown(scan.uid)]
        assert [each["code"] for each in told["modality"]] == row["00080061"]["Value"] == kinds
        assert (told["numberOfSeries"], told["numberOfInstances"]) == (1, instances)
        assert (row["00201206"]["Value"], row["00201208"]["Value"]) == ([1], [instances])
        series = surface.rows("/studies/{0}/series", scan.uid)
        assert [each["00201209"]["Value"] for each in series] == [[instances]]
        assert [each["0020000E"]["Value"][0] for each in series] == [told["series"][0]["uid"]]
        assert len(surface.rows("/studies/{0}/instances", scan.uid)) == instances
    assert surface.shown("1.2.6") not in {*studies(surface, "?modality=PT"), *rows(surface, "?ModalitiesInStudy=PT")}


@pytest.mark.promise("B3")
@pytest.mark.threat("P7", "A12")
def test_a_kind_that_was_allowed_and_cannot_be_shown_opens_no_study(own: Clinic) -> None:
    show(own, PART)
    pet, ct = (deidentified(own, reports=False, modalities=frozenset({kind})) for kind in ("PT", "CT"))
    assert pet.shown("1.2.6") not in {*studies(pet), *rows(pet)}
    assert ct.shown("1.2.6") in studies(ct).keys() & rows(ct).keys()


@pytest.mark.promise("B3")
def test_a_report_is_there_and_names_no_study_that_is_not(own: Clinic) -> None:
    """The patient allowed reports as they are: what is in the pixels says nothing of them."""
    findings = (Finding("r4", ("1.2.5",)),)
    show(own, replace(HIDDEN, told=HIDDEN.series), findings=findings)
    surface = deidentified(own)
    found = {each["id"]: each for each in surface.resources("/DiagnosticReport")}
    assert "imagingStudy" not in found["r4"]
    for reference in found["r1"]["imagingStudy"]:
        assert surface.status(f"{FHIR}/{reference['reference']}") == 200


@pytest.mark.promise("B3")
@pytest.mark.threat("P7")
def test_many_studies_are_asked_for_in_parts_the_newest_first_and_the_list_says_so(own: Clinic) -> None:
    """An archive that tells series study by study only: the worst there is. Every tenth study has nothing to show."""
    many = [
        Scan(f"1.3.{n}", f"2026{1 + n // 28:02}{1 + n % 28:02}", (Series(f"1.3.{n}.1", burned=_burned(n)),))
        for n in range(90)
    ]
    show(own, *many, alone=True)
    surface = deidentified(own, reports=False)
    expected = {surface.shown(scan.uid) for scan in reversed(many) if not scan.series[0].burned}
    sizes = []
    for _ in range(5):
        answer, asked = _listed(own, surface)
        assert len(asked) <= 2 * AT_ONCE + 3
        sizes.append(len(answer.get_json(force=True)))
        if "Warning" not in answer.headers:
            break
        assert set(rows(surface)) <= expected
    assert sizes == sorted(sizes)
    assert sizes[0] == sum(not scan.series[0].burned for scan in many[-AT_ONCE:])
    assert set(rows(surface)) == set(studies(surface)) == expected
    assert _listed(own, surface)[1] == [], "kept for some minutes"
    own.composed.clock.advance(900)
    answer, asked = _listed(own, surface)
    assert (len(answer.get_json(force=True)), "Warning" in answer.headers) == (len(expected), False)
    assert 0 < len([path for path in asked if path.endswith("/metadata")]) <= AT_ONCE, "what is old is looked at anew"


@pytest.mark.promise("E8")
def test_a_list_that_is_not_whole_yet_says_so_on_fhirs_side_too(own: Clinic) -> None:
    many = [Scan(f"1.3.{n}", f"202601{1 + n % 28:02}", (Series(f"1.3.{n}.1"),)) for n in range(60)]
    show(own, *many, alone=True)
    page = deidentified(own, reports=False).app.json("/ImagingStudy?_count=100")
    (said,) = [each["resource"] for each in page["entry"] if each["search"]["mode"] == "outcome"]
    assert said["issue"][0]["details"]["coding"][0]["code"] == "pictures-unread"
    assert page["total"] == AT_ONCE


@pytest.mark.promise("E8")
@pytest.mark.threat("F3")
def test_an_archive_that_does_not_answer_makes_no_empty_list(own: Clinic) -> None:
    show(own)
    surface = deidentified(own)
    assert surface.rows("/studies")  # the index is there, and so is what was seen
    before = set(studies(surface))
    show(own, PART)
    archive = own.composed.first.archive
    honest = archive.script
    assert honest is not None
    archive.script = lambda asked: Reply(503) if asked.path.endswith(("/series", "/metadata")) else honest(asked)
    assert surface.get(Probe(f"{DICOM}/studies")).status_code == 503
    assert surface.status(f"{FHIR}/ImagingStudy") == 503
    assert surface.resources("/DiagnosticReport"), "reports are the EHR's"
    archive.script = honest
    own.composed.clock.advance(121)
    assert set(studies(surface)) == before | {surface.shown("1.2.6")}


def _burned(n: int) -> frozenset[int]:
    return BURNED if n % 10 == 0 else frozenset()


def _listed(clinic_: Clinic, surface: Surface) -> tuple[Any, list[str]]:
    """The list of studies, and the paths that the archive was asked for."""
    asked = clinic_.composed.first.archive.asked
    before = len(asked)
    return surface.get(Probe(f"{DICOM}/studies")), [each.path for each in asked[before:]]


def ana(clinic_: Clinic) -> Principal:
    found = clinic_.parts.identity.lookup(clinic_.composed.signed_in("ana").cookie())
    assert found is not None
    return clinic_.parts.identity.principal(found, found.contexts[0].context_id)


def previewed(clinic_: Clinic, client_id: str, **terms: Any) -> Preview:
    """What Ana is told beforehand that the app would see."""
    asked = Terms(parse(EVERYTHING), **{"images": "deidentified", **terms})
    return clinic_.parts.app_grants.preview(ana(clinic_), asked, client_id=client_id)


@pytest.mark.promise("B2")
@pytest.mark.parametrize("terms", [{}, {"modalities": frozenset({"CT", "MR", "PT"})}])
def test_the_patient_is_told_beforehand_exactly_what_there_will_be(own: Clinic, terms: dict[str, Any]) -> None:
    show(own, HIDDEN, PART, HALF)
    surface = deidentified(own, **terms)
    told = previewed(own, surface.app.client_id, **terms)
    assert {surface.shown(study.uid) for study in told.studies} == set(studies(surface))
    assert told.unshowable >= 1
    assert "1.2.5" not in {study.uid for study in told.studies}
    assert PICTURES_UNREAD not in told.problems


@pytest.mark.promise("B2")
def test_the_patient_is_told_when_not_all_was_looked_at(own: Clinic) -> None:
    """More series than are asked about at once: nothing is left out unseen, and it is said that some may be."""
    scans = [Scan(f"1.2.9.{n}", "20260801", (Series(f"1.2.9.{n}.1", burned=BURNED),)) for n in range(AT_ONCE + 6)]
    show(own, *scans, alone=True)
    app = own.app(images="deidentified")
    first = previewed(own, app.client_id)
    assert (first.unshowable, len(first.studies)) == (AT_ONCE, 6)
    assert PICTURES_UNREAD in first.problems
    second = previewed(own, app.client_id)
    assert (second.unshowable, len(second.studies)) == (AT_ONCE + 6, 0)
    assert PICTURES_UNREAD not in second.problems


def test_full_pictures_are_previewed_without_asking_about_them(own: Clinic) -> None:
    show(own, HIDDEN)
    app, who = own.app(), ana(own)
    grants, terms = own.parts.app_grants, Terms(parse(EVERYTHING))
    grants.preview(who, terms, client_id=app.client_id)
    before = own.calls()
    assert grants.preview(who, terms, client_id=app.client_id).unshowable == 0
    assert own.calls() == before
