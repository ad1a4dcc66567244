"""Consents that a hospital has on file, over everything as it runs: FHIR, QIDO, WADO and the preview say the same."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from smartapp.sandbox.world import build_world
from tests.clients.grant import granted
from tests.clients.house import SCOPE, House

HOSPITAL = build_world().hospital("st-elsewhere")
NORA = HOSPITAL.person("nora")
UIDS = {study.imaging_study_id.removeprefix("img-nora-"): study.uid for study in NORA.studies}
REDIRECT = "http://127.0.0.1/nora"
DICOM = 'multipart/related; type="application/dicom"; transfer-syntax=*'
JSON = "application/dicom+json"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
EVERYTHING = {"studies": ["chosen"], "study": list(UIDS.values()), "reports": ["yes"]}
pytestmark = [pytest.mark.promise("B5"), pytest.mark.promise("B3")]


def ask(url: str, token: str, accept: str = "application/fhir+json") -> requests.Response:
    return requests.get(url, headers={"Authorization": f"Bearer {token}", "Accept": accept}, timeout=60)


def listed(house: House, token: str, type_: str) -> list[dict[str, Any]]:
    answer = ask(f"{house.fhir}/{type_}?_count=50", token)
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    found = [each["resource"] for each in bundle.get("entry", []) if each["search"]["mode"] == "match"]
    assert bundle["total"] == len(found)
    return found


def searched(house: House, token: str) -> set[str]:
    answer = ask(f"{house.dicomweb}/studies", token, JSON)
    assert answer.status_code == 200, answer.text
    return {row["0020000D"]["Value"][0] for row in answer.json()}


def previewed(house: House, client_id: str, changes: dict[str, list[str]]) -> tuple[int, int, str]:
    """How many studies and reports the page on which she allows it says that it reaches, and the page."""
    asked = {
        "response_type": "code", "client_id": client_id, "redirect_uri": REDIRECT, "scope": SCOPE, "state": "s",
        "aud": house.fhir, "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    }  # fmt: skip
    person = house.person("nora")
    page = person.preview(f"{house.issuer}/oauth/authorize?{urlencode(asked)}", changes)
    told = re.search(r"(\d+) examinations? today,\s*(\d+) reports?\.", page)
    assert told is not None, page
    return int(told[1]), int(told[2]), page


@pytest.mark.threat("A31")
@pytest.mark.parametrize("changes", [{}, EVERYTHING], ids=["all", "ticked"])
def test_what_she_keeps_is_nowhere_and_all_else_is_everywhere(house: House, changes: dict[str, list[str]]) -> None:
    """A labelled study, by its label, though she ticks it herself; old reports by class, newer ones excepted; and a
    study by name, in a Consent of the record that was merged into hers.
    """
    app = house.register("Night reader", redirect_uris=[REDIRECT])
    token = granted(house, app["client_id"], REDIRECT, house.person("nora"), **changes)["access_token"]
    seen = {UIDS["recent"], UIDS["merged"]}
    found = {each["identifier"][0]["value"].removeprefix("urn:oid:") for each in listed(house, token, "ImagingStudy")}
    assert found == searched(house, token) == seen
    reports = listed(house, token, "DiagnosticReport")
    assert [each["id"] for each in reports] == ["rep-nora-recent"]
    for uid in UIDS.values():
        expected = 200 if uid in seen else 404
        for tail, accept in (("", DICOM), ("/series", JSON), ("/metadata", JSON)):
            assert ask(f"{house.dicomweb}/studies/{uid}{tail}", token, accept).status_code == expected, (uid, tail)
    for study in NORA.studies:
        assert study.report is not None
        status = ask(f"{house.fhir}/DiagnosticReport/{study.report.id}", token).status_code
        assert status == (200 if study.report.id == "rep-nora-recent" else 404), study.report.id
    studies, count, page = previewed(house, app["client_id"], changes)
    assert (studies, count) == (len(found), len(reports))
    for year, told in (("2026", True), ("2016", True), ("2025", False), ("2022", False)):
        assert (f"X-ray chest, {year}" in page) is told, year
