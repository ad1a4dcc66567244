"""Searches: what they match, how they are paged, and what is refused."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.fhir_facade.app import FHIR, App, Clinic

_CHEST, _PET, _ALONE = "1.2.3", "1.5", "1.6"


def uids(app: App, query: str) -> set[str]:
    page = app.json(f"/ImagingStudy?{query}")
    found = [each["resource"] for each in page.get("entry", []) if each["search"]["mode"] == "match"]
    assert page["total"] == len(found)
    return {study["identifier"][0]["value"].removeprefix("urn:oid:") for study in found}


@pytest.mark.promise("B3")
@pytest.mark.clause("FHIR R4", "3.1.1")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {_CHEST, _PET, _ALONE}),
        ("patient=ana", {_CHEST, _PET, _ALONE}),
        (f"subject={FHIR}/Patient/ana", {_CHEST, _PET, _ALONE}),
        ("subject:Patient=ana", {_CHEST, _PET, _ALONE}),
        ("modality=PT", {_PET}),
        ("modality=http://dicom.nema.org/resources/ontology/DCM|CT", {_CHEST, _PET, _ALONE}),
        ("modality=PT&modality=CT", {_PET}),
        ("modality=urn:other|PT", set()),
        ("modality=MR,PT", {_PET}),
        ("bodysite=CHEST", {_CHEST}),
        ("bodysite=http://snomed.info/sct|51185008", {_CHEST}),
        ("bodysite=HEAD,CHEST", {_CHEST, _PET}),
        ("started=2026-09-17", {_CHEST, _ALONE}),
        ("started=ge2026-01-01", {_CHEST, _ALONE}),
        ("started=lt2026", {_PET}),
        ("started=2025,2026", {_CHEST, _PET, _ALONE}),
        ("started=ge2025-03-02&started=le2025-03-02", {_PET}),
        ("status=available", {_CHEST, _PET, _ALONE}),
        ("status=cancelled", set()),
        ("identifier=1.5", {_PET}),
        ("identifier=urn:dicom:uid|urn:oid:1.5", {_PET}),
        ("identifier=urn:oid:1.8", set()),
        ("_id=none", set()),
        ("_lastUpdated=gt2020-01-01", {_CHEST, _PET, _ALONE}),
        ("_lastUpdated=gt2120-01-01", set()),
        ("modality=", {_CHEST, _PET, _ALONE}),
    ],
)
def test_what_a_search_for_studies_finds(app: App, query: str, found: set[str]) -> None:
    assert uids(app, query) == found


@pytest.mark.promise("B3")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["r1", "r2"]),
        ("category=RAD", ["r1", "r2"]),
        ("category=http://terminology.hl7.org/CodeSystem/v2-0074|RAD", ["r1"]),
        ("code=http://loinc.org|24627-2", ["r1"]),
        ("status=final", ["r1", "r2"]),
        ("status=amended", []),
        ("date=2026-09", ["r1"]),
        ("issued=ge2026-09-17T15:00:00Z", ["r1"]),
        ("_id=r2,r1,none", ["r1", "r2"]),
    ],
)
def test_what_a_search_for_reports_finds(app: App, query: str, found: list[str]) -> None:
    assert app.ids(f"/DiagnosticReport?{query}") == found


@pytest.mark.promise("B3")
@pytest.mark.clause("FHIR R4", "3.1.1.5.5")
def test_pages_follow_each_other_to_the_end(app: App) -> None:
    whole = app.ids("/ImagingStudy?_sort=started")
    assert app.ids("/ImagingStudy?_sort=started&_count=1") == whole
    assert app.ids("/ImagingStudy?_sort=-started&_count=2")[-1] == whole[0]
    page = app.json("/ImagingStudy?_count=2&modality=CT")
    following = next(link["url"] for link in page["link"] if link["relation"] == "next")
    assert parse_qs(urlsplit(following).query).keys() == {"_page"}
    assert app.json(following)["total"] == page["total"] == 3


@pytest.mark.promise("B3")
def test_a_next_link_cannot_be_changed_added_to_or_used_by_another(shared: Clinic, app: App) -> None:
    page = app.json("/ImagingStudy?_count=1&modality=CT")
    following = next(link["url"] for link in page["link"] if link["relation"] == "next")
    assert app.get(f"{following}&modality=PT").status_code == 400
    assert app.get(following.replace("ImagingStudy?", "DiagnosticReport?")).status_code == 400
    assert app.get(following[:-4] + "AAAA").status_code == 400
    assert shared.app().get(following).status_code == 400
    for forged in ("", "x", "%00", "AQg0ODk2YWU2", "é"):
        assert app.get(f"/ImagingStudy?_page={forged}").status_code == 400


@pytest.mark.promise("B3")
@pytest.mark.clause("FHIR R4", "3.1.1.5.8")
def test_less_than_a_whole_resource_is_marked_so(app: App) -> None:
    count = app.json("/ImagingStudy?_summary=count")
    assert (count["total"], "entry" in count) == (3, False)
    assert "entry" not in app.json("/ImagingStudy?_count=0")
    brief = app.json("/DiagnosticReport?_id=r1&_summary=true")["entry"][0]["resource"]
    assert "conclusion" not in brief
    assert brief["meta"]["tag"][0]["code"] == "SUBSETTED"
    chosen = app.json("/DiagnosticReport/r1?_elements=conclusion")
    assert chosen.keys() == {"resourceType", "id", "meta", "status", "code", "conclusion"}
    assert app.json("/DiagnosticReport?_id=r1&_summary=text")["entry"][0]["resource"].keys() >= {"text", "status"}
    assert "total" not in app.json("/ImagingStudy?_total=none")


@pytest.mark.promise("B3")
@pytest.mark.clause("FHIR R4", "3.1.1.2")
def test_an_unknown_parameter_is_left_out_or_refused_as_the_client_asks(app: App) -> None:
    page = app.json("/ImagingStudy?colour=blue&modality=PT&_sort=colour&_include=ImagingStudy:basedon")
    assert page["link"][0]["url"] == f"{FHIR}/ImagingStudy?modality=PT"
    for query in ("colour=blue", "_sort=colour", "_include=ImagingStudy:basedon"):
        refused = app.json(f"/ImagingStudy?{query}", 400, headers={"Prefer": "handling=strict"})
        assert refused["resourceType"] == "OperationOutcome"


@pytest.mark.promise("B3")
@pytest.mark.threat("A14")
@pytest.mark.parametrize(
    "query",
    ["_has:DiagnosticReport:subject:code=1", "subject:Patient.name=Ben", "patient.name=Ben", "_filter=modality eq CT",
     "_query=all", "_content=Ben", "_text=Ben", "_list=1", "modality:not=CT", "started:missing=true",
     "bodysite:above=1", "_type=Patient", "_revinclude=DiagnosticReport:subject",
     "_include:iterate=ImagingStudy:patient", "_contained=true", "_count=-1", "_count=x", "_summary=all",
     "_total=all", "started=yesterday", "started=2026-13-01", "_sort=_id&_sort=x",
     "_lastUpdated=xx2026", "modality=%00", "modality=" + "x" * 3000, "started=2026-09-17T25:00:00Z", "colour:not=blue",
     "modality=CT\\"],
)  # fmt: skip
def test_what_cannot_be_honoured_is_refused_and_asks_nobody(shared: Clinic, app: App, query: str) -> None:
    before = shared.calls()
    outcome = app.json(f"/ImagingStudy?{query}", 400)
    assert outcome["resourceType"] == "OperationOutcome"
    assert shared.calls() == before


@pytest.mark.promise("B3")
@pytest.mark.clause("FHIR R4", "3.1.1.1")
def test_a_search_by_post_is_the_same_search(app: App) -> None:
    posted = app.get("/ImagingStudy/_search?status=available", method="POST", data={"modality": "PT"})
    assert posted.get_json(force=True)["total"] == 1
    assert app.get("/ImagingStudy/_search", method="POST", json={"modality": "PT"}).status_code == 415
