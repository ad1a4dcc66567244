"""The EHR before a FHIR server that somebody else wrote: sekmet-fhir, in its own environment."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.ehr.app import App
from tests.sandbox.ehr.process import running
from tests.sandbox.ehr.test_consent import consent
from tests.sandbox.ehr.test_fhir import BRAIN, CHEST, EVERY, HAND, HEAD, KNEE, SEARCHES, ids, pages
from tests.sandbox.ehr.test_store import load_by_command
from tests.support.sekmet import running_sekmet

# Where this server answers otherwise than ours, as FHIR lets it: what it says then is what an app must cope with.
OTHERWISE = {
    # A date without an offset is a day in UTC there; the head CT of 21:05 in Chicago falls on the next one.
    "ImagingStudy?started=2026-11-20": set(),
    "ImagingStudy?started=ge2026-09-17&started=lt2026-11-21": {CHEST},
    "ImagingStudy?started=sa2026-11-20": {HEAD, KNEE},
    # It was all written just now.
    "ImagingStudy?_lastUpdated=gt2026-11-01": {CHEST, HEAD, HAND, BRAIN, KNEE},
    # It does not know the parameter, and ignores it.
    "ImagingStudy?bodysite=http://snomed.info/sct|51185008": EVERY,
    # Both hospitals share it.
    "Endpoint?connection-type=dicom-wado-rs": {"st-elsewhere-pacs", "mercy-pacs"},
}
READ = "openid fhirUser launch/patient patient/*.cruds"


@pytest.fixture(scope="module")
def sekmet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a sekmet-fhir that holds both hospitals."""
    folder = tmp_path_factory.mktemp("sekmet")
    with running_sekmet(folder) as base:
        for hospital in ("st-elsewhere", "mercy"):
            load_by_command(folder, base, hospital)
        yield base


@pytest.fixture(scope="module")
def app(sekmet: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with running(tmp_path_factory.mktemp("ehr"), "st-elsewhere", fhir_store=sekmet) as base:
        yield App(base)


@pytest.fixture(scope="module")
def tokens(app: App) -> dict[str, Any]:
    return app.sign_in("ana", "ana-sandbox", READ)


def test_launch_and_read(app: App, tokens: dict[str, Any]) -> None:
    assert tokens["patient"] == "ana"
    assert app.fhir("Patient/ana", tokens["access_token"]).json()["name"][0]["family"] == "Rivera"
    assert app.fhir("Patient/m-ana", tokens["access_token"]).status_code == 403
    assert app.fhir("Patient/nobody", tokens["access_token"]).status_code == 404


@pytest.mark.parametrize(("query", "expected"), SEARCHES)
def test_search_answers_as_our_own_server_does_but_for_what_is_known(
    app: App, tokens: dict[str, Any], query: str, expected: set[str]
) -> None:
    bundle = app.fhir(query, tokens["access_token"]).json()
    assert set(ids(bundle)) == OTHERWISE.get(query, expected)


def test_pages_to_the_end_and_no_address_of_the_store(app: App, sekmet: str, tokens: dict[str, Any]) -> None:
    found = list(pages(app.base, "ImagingStudy?_count=2", tokens["access_token"]))
    assert len({one for page in found for one in ids(page)}) == 5
    assert sekmet not in json.dumps(found)


def test_include_brings_the_endpoint(app: App, tokens: dict[str, Any]) -> None:
    query = "ImagingStudy?modality=MR&_include=ImagingStudy:endpoint"
    bundle = app.fhir(query, tokens["access_token"]).json()
    assert ids(bundle, "include") == ["st-elsewhere-pacs"]


def test_granular_scope_filters_what_the_store_gives(app: App) -> None:
    token = app.sign_in("ana", "ana-sandbox", "launch/patient patient/ImagingStudy.rs?modality=MR")["access_token"]
    bundle = app.fhir("ImagingStudy", token).json()
    assert ids(bundle) == ["img-ana-mr-brain"]
    assert "total" not in bundle
    assert app.fhir("ImagingStudy?_summary=count", token).json()["total"] == 1


def test_report_document_and_consent(app: App, tokens: dict[str, Any]) -> None:
    token = tokens["access_token"]
    assert app.fhir("Binary/rep-ana-ct-chest-pdf", token).content.startswith(b"%PDF")
    made = app.fhir("Consent", token, "POST", json=consent())
    assert made.status_code == 201
    path = f"Consent/{made.json()['id']}"
    changed = {**made.json(), "status": "inactive"}
    assert app.fhir(path, token, "PUT", json=changed, headers={"If-Match": 'W/"9"'}).status_code in {409, 412}
    assert app.fhir(path, token, "PUT", json=changed, headers={"If-Match": made.headers["ETag"]}).status_code == 200
