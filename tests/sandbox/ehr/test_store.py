"""A hospital that answers from a plain FHIR server behind it."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from smartapp.sandbox.ehr.app import create_app
from smartapp.sandbox.ehr.config import parse_config
from smartapp.sandbox.ehr.load import LoadError, load
from smartapp.sandbox.ehr.site import EXTENSION, Site
from smartapp.sandbox.ehr.state import Grant
from smartapp.sandbox.world import build_world
from tests.sandbox.ehr.app import TIMEOUT, App
from tests.sandbox.ehr.process import configuration, free_port, running
from tests.sandbox.ehr.store import Awkward, awkward_store
from tests.sandbox.ehr.test_consent import consent
from tests.sandbox.ehr.test_fhir import ids, pages

FIRST, SECOND = build_world().hospitals
HERS = f"x{len(FIRST.people) + 1}"
"""The store counts up: everybody of the first hospital was there before her."""
READ = "openid fhirUser offline_access launch/patient patient/*.cruds"


def load_by_command(folder: Path, store: str, hospital: str) -> str:
    path = folder / "load.json"
    path.write_text(json.dumps(configuration(free_port())))
    command = [sys.executable, "-m", "smartapp.sandbox.ehr.load", "--config", str(path), "--hospital", hospital]
    return subprocess.run([*command, "--store", store], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Awkward]:
    with awkward_store() as server:
        told = load_by_command(tmp_path_factory.mktemp("load"), server.base, "st-elsewhere")
        assert re.fullmatch(r"(\d+) resources loaded, \1 under other ids\n", told)
        load_by_command(tmp_path_factory.mktemp("load"), server.base, "mercy")
        yield server


@pytest.fixture(scope="module")
def mercy(store: Awkward, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with running(tmp_path_factory.mktemp("ehr"), fhir_store=store.base) as base:
        yield App(base, hospital="mercy")


@pytest.fixture
def tokens(mercy: App) -> dict[str, Any]:
    return mercy.sign_in("ana", "ana-mercy", READ)


def test_launch_names_the_patient_as_the_store_does(mercy: App, tokens: dict[str, Any]) -> None:
    assert tokens["patient"] == HERS
    patient = mercy.fhir(f"Patient/{HERS}", tokens["access_token"]).json()
    assert patient["identifier"][0]["value"] == "MH-5501"
    assert mercy.fhir("Patient/x1", tokens["access_token"]).status_code == 403
    assert mercy.fhir("Patient/x9999", tokens["access_token"]).status_code == 404


def test_only_the_patients_rows_survive_on_every_page(mercy: App, store: Awkward, tokens: dict[str, Any]) -> None:
    store.asked.clear()
    found = list(pages(mercy.base, "ImagingStudy", tokens["access_token"], hospital="mercy"))
    assert len(found) == len(store.kept["ImagingStudy"])
    rows = [entry["resource"] for page in found for entry in page.get("entry", [])]
    assert [row["subject"]["reference"] for row in rows] == [f"Patient/{HERS}"]
    assert all("total" not in page for page in found[:-1])
    assert store.base not in json.dumps(found)
    assert "wrong.invalid" not in json.dumps(found)
    assert f"patient={HERS}" in store.asked[0]


def test_what_is_counted_is_what_is_seen(mercy: App, tokens: dict[str, Any]) -> None:
    bundle = mercy.fhir("ImagingStudy?_summary=count", tokens["access_token"]).json()
    assert bundle["total"] == 1


def test_no_total_tells_what_a_filtered_scope_hides(mercy: App) -> None:
    scope = "launch/patient patient/ImagingStudy.rs?modality=DX"
    token = mercy.sign_in("ana", "ana-mercy", scope)["access_token"]
    found = list(pages(mercy.base, "ImagingStudy", token, hospital="mercy"))
    assert [one for page in found for one in ids(page)] == [found[-1]["entry"][0]["resource"]["id"]]
    assert all("total" not in page for page in found)


def test_another_patient_is_refused_before_the_store_is_asked(
    mercy: App, store: Awkward, tokens: dict[str, Any]
) -> None:
    token = tokens["access_token"]
    store.asked.clear()
    assert mercy.fhir("ImagingStudy?patient=x1", token).status_code == 403
    assert mercy.fhir("Medication", token).status_code == 404
    assert store.asked == []


@pytest.mark.parametrize("id_", ["..", ".", "%2e%2e", f"{HERS}%3F_id=x1", f"{HERS}%23", "x" * 65, f"{HERS}%0a"])
def test_an_id_is_no_way_around_in_the_store(mercy: App, store: Awkward, tokens: dict[str, Any], id_: str) -> None:
    store.asked.clear()
    # Prepared by hand: the client library would tidy the path up.
    wanted = requests.Request("GET", mercy.iss, headers={"Authorization": f"Bearer {tokens['access_token']}"}).prepare()
    wanted.url = f"{mercy.iss}/Patient/{id_}"
    with requests.Session() as http:
        assert http.send(wanted, timeout=TIMEOUT).status_code in {400, 404}
    assert store.asked == []


def test_document_of_a_report_is_reached_under_its_new_id(store: Awkward) -> None:
    known = {row["id"] for row in store.kept["Binary"]}
    forms = [form for row in store.kept["DiagnosticReport"] for form in row["presentedForm"] if "url" in form]
    assert len(forms) == 1
    assert forms[0]["url"].rpartition("/Binary/")[2] in known


def test_a_merged_record_and_its_heir_name_each_other_by_the_stores_ids(store: Awkward) -> None:
    links = {
        (row["id"], link["type"], link["other"]["reference"].rpartition("/")[2])
        for row in store.kept["Patient"]
        for link in row.get("link", [])
    }
    assert len(links) == 2 * sum(len(each.replaces) for each in (*FIRST.people, *SECOND.people))
    turned = {"replaces": "replaced-by", "replaced-by": "replaces"}
    assert links == {(other, turned[type_], id_) for id_, type_, other in links}


def test_loading_again_adds_nothing_that_has_an_identifier(store: Awkward, tmp_path: Path) -> None:
    before = {type_: len(rows) for type_, rows in store.kept.items() if type_ != "Binary"}
    load_by_command(tmp_path, store.base, "st-elsewhere")
    assert {type_: len(rows) for type_, rows in store.kept.items() if type_ != "Binary"} == before


def test_consent_is_written_through(mercy: App, store: Awkward, tokens: dict[str, Any]) -> None:
    made = mercy.fhir("Consent", tokens["access_token"], "POST", json=consent(HERS))
    assert made.status_code == 201
    assert store.kept["Consent"][-1]["id"] == made.json()["id"]
    assert mercy.fhir("Consent", tokens["access_token"], "POST", json=consent("x1")).status_code == 403


def test_a_store_that_is_down_is_503_and_never_a_crash() -> None:
    config = configuration(1, fhir_store=f"http://127.0.0.1:{free_port()}/fhir")
    app = create_app(parse_config(config), build_world())
    site: Site = app.extensions[EXTENSION]["mercy"]
    scopes = ("system/*.rs",)
    token, _ = site.state.issue(Grant("f", "nightly", scopes), scopes, timedelta(hours=1), refreshable=False)
    for path in ("Patient/x1", "Patient?identifier=1"):
        answer = app.test_client().get(f"/mercy/fhir/{path}", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.get_json(force=True)["resourceType"]) == (503, "OperationOutcome")


def test_a_store_that_takes_nothing_is_an_error() -> None:
    with awkward_store() as server, pytest.raises(LoadError):
        load([{"resourceType": "Patient", "id": "a"}], server.base.replace("/plain", "/plain/not-there/at-all"))


def test_ids_of_search_results_are_the_stores(mercy: App, tokens: dict[str, Any]) -> None:
    bundle = mercy.fhir("Patient", tokens["access_token"]).json()
    assert set(ids(bundle)) <= {HERS}
    assert requests.get(f"{mercy.iss}/metadata", timeout=TIMEOUT).ok
