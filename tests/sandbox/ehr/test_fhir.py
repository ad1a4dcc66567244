"""The FHIR server of the running process: what a token reaches, and how searches answer."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import requests

from tests.sandbox.ehr.app import TIMEOUT, App

READ = "openid fhirUser launch/patient patient/*.rs"


@cache
def token_for(ehr: str, scope: str, username: str = "ana", password: str = "ana-sandbox") -> str:
    """A token of this scope; tests only read with it, so they can share it."""
    return str(App(ehr).sign_in(username, password, f"launch/patient {scope}")["access_token"])


def search(ehr: str, query: str, scope: str = READ) -> dict[str, Any]:
    answer = App(ehr).fhir(query, token_for(ehr, scope))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def ids(bundle: dict[str, Any], mode: str = "match") -> list[str]:
    return [entry["resource"]["id"] for entry in bundle.get("entry", []) if entry["search"]["mode"] == mode]


CHEST, HEAD, HAND, BRAIN, KNEE = (
    "img-ana-ct-chest", "img-ana-ct-head", "img-ana-xr-hand", "img-ana-mr-brain", "img-ana-knee",
)  # fmt: skip
EVERY = {CHEST, HEAD, HAND, BRAIN, KNEE}
SEARCHES: list[tuple[str, set[str]]] = [
    ("ImagingStudy", EVERY),
    ("ImagingStudy?patient=ana", EVERY),
    ("ImagingStudy?patient=Patient/ana", EVERY),
    ("ImagingStudy?subject:Patient=ana", EVERY),
    ("ImagingStudy?modality=CT", {CHEST, HEAD}),
    ("ImagingStudy?modality=CT,MR", {CHEST, HEAD, BRAIN}),
    ("ImagingStudy?modality=http://dicom.nema.org/resources/ontology/DCM|MR", {BRAIN}),
    ("ImagingStudy?modality=http://example.org|MR", set()),
    ("ImagingStudy?bodysite=http://snomed.info/sct|51185008", {CHEST}),
    ("ImagingStudy?status=available&modality=DX", {HAND, KNEE}),
    ("ImagingStudy?status=cancelled", set()),
    ("ImagingStudy?started=2026", {CHEST, HEAD, KNEE}),
    ("ImagingStudy?started=2025-03", {HAND}),
    ("ImagingStudy?started=2026-11-20", {HEAD}),
    ("ImagingStudy?started=ge2026-09-17&started=lt2026-11-21", {CHEST, HEAD}),
    ("ImagingStudy?started=2026-09-17T14:42:00Z", {CHEST}),
    ("ImagingStudy?started=sa2026-11-20", {KNEE}),
    ("ImagingStudy?_lastUpdated=gt2026-11-01", {HEAD, KNEE}),
    ("ImagingStudy?_id=img-ana-ct-head", {HEAD}),
    ("ImagingStudy?_id=img-ben-knee", set()),
    ("ImagingStudy?identifier=A260917001", {CHEST}),
    ("ImagingStudy?unknown=1", EVERY),
    ("DiagnosticReport?status=final", {"rep-ana-ct-chest", "rep-ana-mr-brain"}),
    ("DiagnosticReport?category=RAD&date=ge2026-11", {"rep-ana-ct-head"}),
    ("DiagnosticReport?based-on=ServiceRequest/order-ana-xr-hand", {"rep-ana-xr-hand"}),
    ("Patient?identifier=urn:oid:2.16.840.1.113883.19.4|OLD-77", {"ana"}),
    ("Patient?identifier=SE-1002", set()),
    ("Patient?family=riv", {"ana"}),
    ("Observation?category=imaging", {"obs-rep-ana-ct-chest"}),
    ("ServiceRequest?identifier=A260917001", {"order-ana-ct-chest"}),
    ("Consent?patient=ana&_id=none", set()),
    ("Endpoint?connection-type=dicom-wado-rs", {"st-elsewhere-pacs"}),
]


@pytest.mark.clause("FHIR R4", "3.1.1")
@pytest.mark.parametrize(("query", "expected"), SEARCHES)
def test_search(ehr: str, query: str, expected: set[str]) -> None:
    bundle = search(ehr, query)
    assert set(ids(bundle)) == expected
    assert bundle["total"] == len(expected)


@pytest.mark.clause("SMART Imaging Access", "identifier")
@pytest.mark.parametrize("form", ["urn:oid:{}", "urn:dicom:uid|urn:oid:{}"])
def test_study_is_found_by_its_uid(ehr: str, form: str) -> None:
    study = App(ehr).fhir(f"ImagingStudy/{CHEST}", token_for(ehr, READ)).json()
    uid = study["identifier"][0]["value"].removeprefix("urn:oid:")
    assert ids(search(ehr, f"ImagingStudy?identifier={form.format(uid)}")) == [CHEST]


def test_included_resources_come_along_and_are_marked(ehr: str) -> None:
    bundle = search(ehr, "ImagingStudy?modality=CT&_include=ImagingStudy:endpoint&_include=ImagingStudy:basedon")
    assert set(ids(bundle)) == {CHEST, HEAD}
    assert sorted(ids(bundle, "include")) == ["order-ana-ct-chest", "order-ana-ct-head", "st-elsewhere-pacs"]
    assert bundle["total"] == 2
    reports = search(ehr, "DiagnosticReport?_id=rep-ana-ct-chest&_include=DiagnosticReport:result")
    assert ids(reports, "include") == ["obs-rep-ana-ct-chest"]


def test_includes_obey_the_scope(ehr: str) -> None:
    bundle = search(ehr, "DiagnosticReport?_include=DiagnosticReport:result", "patient/DiagnosticReport.rs")
    assert ids(bundle, "include") == []


@pytest.mark.clause("FHIR R4", "3.1.1.5.1")
def test_sorted_both_ways(ehr: str) -> None:
    assert ids(search(ehr, "ImagingStudy?_sort=started")) == [BRAIN, HAND, CHEST, HEAD, KNEE]
    assert ids(search(ehr, "ImagingStudy?_sort=-started")) == [KNEE, HEAD, CHEST, HAND, BRAIN]


def pages(ehr: str, query: str, token: str, hospital: str = "st-elsewhere") -> Iterator[dict[str, Any]]:
    url: str | None = f"{App(ehr, hospital).iss}/{query}"
    while url:
        bundle = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT).json()
        yield bundle
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        url = links.get("next")
        assert url is None or "ana" not in url


@pytest.mark.clause("FHIR R4", "3.1.1.5.3")
def test_pages_to_the_end_hold_everything_once(ehr: str) -> None:
    found = list(pages(ehr, "ImagingStudy?patient=ana&_count=2&_sort=started", token_for(ehr, READ)))
    assert [len(ids(page)) for page in found] == [2, 2, 1]
    assert [one for page in found for one in ids(page)] == [BRAIN, HAND, CHEST, HEAD, KNEE]
    assert {page["total"] for page in found} == {5}


def test_next_link_in_other_hands_shows_nothing_of_the_first(ehr: str) -> None:
    first = search(ehr, "ImagingStudy?_count=2")
    url = next(link["url"] for link in first["link"] if link["relation"] == "next")
    ben = token_for(ehr, READ, "ben", "ben-sandbox")
    other = requests.get(url, headers={"Authorization": f"Bearer {ben}"}, timeout=TIMEOUT)
    assert ids(other.json()) == []
    assert App(ehr).fhir("?_page=guessed", ben).status_code == 404


def test_count_only(ehr: str) -> None:
    for query in ("ImagingStudy?_summary=count&modality=CT", "ImagingStudy?_count=0&modality=CT"):
        bundle = search(ehr, query)
        assert bundle["total"] == 2
        assert "entry" not in bundle


def test_search_by_post(ehr: str) -> None:
    app, form = App(ehr), {"patient": "ana", "modality": "MR"}
    answer = app.fhir("ImagingStudy/_search?status=available", token_for(ehr, READ), "POST", data=form)
    assert ids(answer.json()) == [BRAIN]


@pytest.mark.parametrize(
    "query",
    [
        "ImagingStudy?started=yesterday", "ImagingStudy?started=2026-13-01", "ImagingStudy?_count=x",
        "ImagingStudy?patient.name=ana", "ImagingStudy?status:not=x", "ImagingStudy?_sort=nonsense",
        "ImagingStudy?_has:x=y", "ImagingStudy?started=2026-01-01Tx", "ImagingStudy?started=9999",
    ],
)  # fmt: skip
def test_search_that_cannot_be_understood_is_400(ehr: str, query: str) -> None:
    answer = App(ehr).fhir(query, token_for(ehr, READ))
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_unknown_parameter_is_absent_from_the_self_link(ehr: str) -> None:
    bundle = search(ehr, "ImagingStudy?unknown=1&modality=CT")
    own = next(link["url"] for link in bundle["link"] if link["relation"] == "self")
    assert "modality=CT" in own
    assert "unknown" not in own


@pytest.mark.clause("FHIR R4", "3.1.0.1.3")
def test_read_has_an_etag_and_can_be_conditional(ehr: str) -> None:
    app, token = App(ehr), token_for(ehr, READ)
    answer = app.fhir("Patient/ana", token)
    assert answer.headers["ETag"] == 'W/"1"'
    assert "Last-Modified" in answer.headers
    assert answer.headers["Content-Type"].startswith("application/fhir+json")
    assert app.fhir("Patient/ana", token, headers={"If-None-Match": 'W/"1"'}).status_code == 304


def test_report_document_comes_as_pdf_or_as_resource(ehr: str) -> None:
    app, token = App(ehr), token_for(ehr, READ)
    report = app.fhir("DiagnosticReport/rep-ana-ct-chest", token).json()
    url = next(form["url"] for form in report["presentedForm"] if "url" in form)
    assert url.startswith(f"{app.iss}/Binary/")
    path = url.removeprefix(f"{app.iss}/")
    raw = app.fhir(path, token)
    assert raw.headers["Content-Type"] == "application/pdf"
    assert raw.content.startswith(b"%PDF-1.4")
    assert raw.content.rstrip().endswith(b"%%EOF")
    as_fhir = app.fhir(path, token, headers={"Accept": "application/fhir+json"}).json()
    assert as_fhir["contentType"] == "application/pdf"
    assert app.fhir(path, token_for(ehr, READ, "ben", "ben-sandbox")).status_code == 403


# scope, request, expected status
TABLE = [
    (READ, "Patient/ana", 200),
    (READ, "Patient/ben", 403),
    (READ, "Patient/nobody", 404),
    (READ, "ImagingStudy/img-ben-knee", 403),
    (READ, "ImagingStudy?patient=ben", 403),
    (READ, "ImagingStudy?patient=ana,ben", 403),
    (READ, "ImagingStudy?subject=Patient/ben", 403),
    (READ, "RelatedPerson/dana-for-eli", 403),
    (READ, "Basic", 404),
    (READ, "Medication/x", 404),
    ("patient/ImagingStudy.r", "ImagingStudy/img-ana-ct-chest", 200),
    ("patient/ImagingStudy.r", "ImagingStudy", 403),
    ("patient/ImagingStudy.s", "ImagingStudy", 200),
    ("patient/ImagingStudy.s", "ImagingStudy/img-ana-ct-chest", 403),
    ("patient/ImagingStudy.s", "ImagingStudy/nothing-there", 403),
    ("patient/ImagingStudy.rs", "DiagnosticReport", 403),
    ("patient/ImagingStudy.rs", "Patient/ana", 403),
    ("patient/ImagingStudy.read", "ImagingStudy", 200),
    ("patient/ImagingStudy.read", "ImagingStudy/img-ana-ct-chest", 200),
    ("patient/ImagingStudy.write", "ImagingStudy", 403),
    ("patient/*.read", "DiagnosticReport/rep-ana-mr-brain", 200),
    ("patient/ImagingStudy.rs?modality=CT", "ImagingStudy/img-ana-ct-chest", 200),
    ("patient/ImagingStudy.rs?modality=CT", "ImagingStudy/img-ana-mr-brain", 403),
    ("patient/ImagingStudy.rs?nonsense=1", "ImagingStudy/img-ana-mr-brain", 403),
    ("openid fhirUser patient/ImagingStudy.rs", "Patient/ana", 200),
    ("openid patient/ImagingStudy.rs", "Patient/ana", 403),
    ("user/Patient.rs", "Patient/ana", 200),
    ("user/Patient.rs", "Patient/ben", 403),
    ("user/ImagingStudy.s", "ImagingStudy?patient=ana", 200),
]


@pytest.mark.clause("SMART App Launch 2.2", "3.0.2")
@pytest.mark.parametrize(("scope", "request_", "status"), TABLE)
def test_scope_is_enforced(ehr: str, scope: str, request_: str, status: int) -> None:
    answer = App(ehr).fhir(request_, token_for(ehr, scope))
    assert answer.status_code == status, answer.text
    if status >= 400:
        assert answer.json()["resourceType"] == "OperationOutcome"
    if status == 403:
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope"'


@pytest.mark.clause("SMART App Launch 2.2", "3.0.2.3")
def test_granular_scopes_filter_searches_and_totals_as_a_union(ehr: str) -> None:
    scope = "patient/ImagingStudy.rs?modality=MR patient/ImagingStudy.rs?modality=DX&started=ge2026"
    bundle = search(ehr, "ImagingStudy", scope)
    assert set(ids(bundle)) == {BRAIN, KNEE}
    assert search(ehr, "ImagingStudy?_summary=count", scope)["total"] == 2
    assert search(ehr, "ImagingStudy", "patient/ImagingStudy.rs?nonsense=1")["total"] == 0


@pytest.mark.clause("RFC 6750", "3")
def test_without_a_good_token_nothing(ehr: str) -> None:
    app = App(ehr)
    bare = app.fhir("Patient/ana", None)
    assert (bare.status_code, bare.headers["WWW-Authenticate"]) == (401, "Bearer")
    wrong = app.fhir("Patient/ana", "guessed")
    assert (wrong.status_code, wrong.headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
    elsewhere = App(ehr, hospital="mercy").fhir("Patient/m-ana", token_for(ehr, READ))
    assert elsewhere.status_code == 401


def test_registered_scope_bounds_what_is_granted(ehr: str) -> None:
    app = App(ehr, client_id="narrow")
    tokens = app.sign_in("ana", "ana-sandbox", "openid offline_access patient/*.cruds")
    assert tokens["scope"] == "openid patient/ImagingStudy.rs patient/Patient.r"


def test_hospital_without_imaging_study_has_no_such_type(ehr: str) -> None:
    app = App(ehr, hospital="mercy")
    token = app.sign_in("ana", "ana-mercy", READ)["access_token"]
    assert app.fhir("ImagingStudy?patient=m-ana", token).status_code == 404
    report = app.fhir("DiagnosticReport/rep-ana-m-knee", token).json()
    assert "imagingStudy" not in report
    assert report["basedOn"] == [{"reference": "ServiceRequest/order-m-ana-knee"}]
    statement = requests.get(f"{app.iss}/metadata", timeout=TIMEOUT).json()
    assert "ImagingStudy" not in {entry["type"] for entry in statement["rest"][0]["resource"]}
