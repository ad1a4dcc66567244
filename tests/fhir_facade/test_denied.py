"""What lies outside the grant is not there, whichever way it is asked for, and nobody is asked about it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from smartapp.consent.grants.model import GrantState
from tests.dicomweb_upstream.archive import Reply
from tests.fhir_facade.app import App, Clinic
from tests.fhir_upstream.fake_fhir import fhir
from tests.threats.composed import BASE


def codes(answer: Any) -> tuple[int, str, str]:
    issue = answer.get_json(force=True)["issue"][0]
    return answer.status_code, issue["code"], issue["details"]["coding"][0]["code"]


@pytest.mark.promise("B3")
@pytest.mark.threat("A11")
def test_a_grant_of_ct_shows_the_ct_series_of_a_pet_ct_and_no_trace_of_the_other(shared: Clinic) -> None:
    app = shared.app("patient/ImagingStudy.rs", modalities=frozenset({"CT"}))
    (study,) = [e["resource"] for e in app.json("/ImagingStudy?identifier=1.5")["entry"] if "id" in e["resource"]]
    assert [each["uid"] for each in study["series"]] == ["1.5.2"]
    assert [each["code"] for each in study["modality"]] == ["CT"]
    assert (study["numberOfSeries"], study["numberOfInstances"]) == (1, 1)
    assert app.json("/ImagingStudy?modality=PT")["total"] == 0
    assert app.json(f"/ImagingStudy/{study['id']}") == study


@pytest.mark.promise("B3")
@pytest.mark.parametrize(
    ("scope", "terms", "found"),
    [
        ("patient/ImagingStudy.rs?modality=PT", {}, {"1.5"}),
        ("patient/ImagingStudy.rs?bodysite=51185008", {}, {"1.2.3"}),
        ("patient/ImagingStudy.rs?modality=MR", {}, set()),
        ("patient/*.rs", {"chosen": frozenset({"1.5", "1.8"})}, {"1.5"}),
        ("patient/*.rs", {"started_from": date(2026, 1, 1)}, {"1.2.3", "1.6"}),
        ("patient/*.rs", {"started_to": date(2025, 12, 31)}, {"1.5"}),
        ("patient/*.rs", {"body_sites": frozenset({"51185008"})}, {"1.2.3"}),
    ],
)
def test_a_narrower_grant_or_token_is_a_smaller_world(
    shared: Clinic, scope: str, terms: dict[str, Any], found: set[str]
) -> None:
    """Searched, counted, included, and read by id: all say the same."""
    wide, app = shared.app(), shared.app(scope, granted="patient/*.rs", **terms)
    listed = {each: app.json(f"/ImagingStudy/{each}") for each in app.ids("/ImagingStudy?_count=1")}
    assert {study["identifier"][0]["value"].removeprefix("urn:oid:") for study in listed.values()} == found
    assert app.json("/ImagingStudy?_summary=count")["total"] == len(found)
    for outside in set(wide.ids("/ImagingStudy")) - listed.keys():
        before = shared.calls()
        assert codes(app.get(f"/ImagingStudy/{outside}")) == (404, "not-found", "not-found")
        assert app.ids(f"/ImagingStudy?_id={outside}") == []
        assert shared.calls() == before


@pytest.mark.promise("B3")
@pytest.mark.threat("A24")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", [{}, {"If-None-Match": "*"}, {"Range": "bytes=0-0"}, {"If-None-Match": 'W/"a"'}])
def test_a_foreign_id_answers_as_one_that_does_not_exist(shared: Clinic, method: str, headers: dict[str, str]) -> None:
    app = shared.app(chosen=frozenset({"1.2.3"}))
    (hidden,) = shared.app().ids("/ImagingStudy?identifier=1.5")
    shared.app().ids("/ImagingStudy")
    before = shared.calls()
    answers = [
        app.get(path, method=method, headers=headers)
        for path in (f"/ImagingStudy/{hidden}", "/ImagingStudy/nothing", "/DiagnosticReport/r2", "/DiagnosticReport/no",
                     "/DiagnosticReport/r3", "/Practitioner/ben", "/Patient/ben", "/Binary/no")
    ]  # fmt: skip
    assert {each.status_code for each in answers} == {404}
    assert len({each.headers.get("Content-Type") for each in answers}) == 1
    assert shared.calls() == before
    assert shared.kinds().count("authz.denied") >= len(answers)


@pytest.mark.promise("B3")
def test_another_patient_is_refused_before_anything_is_looked_up(shared: Clinic, app: App) -> None:
    before = shared.calls()
    for query in ("patient=ben", "subject=Patient/ben", "patient=ana,ben", f"patient={BASE}/mercy/fhir/Patient/ana"):
        assert codes(app.get(f"/ImagingStudy?{query}")) == (403, "forbidden", "other-patient"), query
    assert app.ids("/Patient?_id=ben") == []
    assert "Ben" not in app.get("/Patient?_id=ben").text
    assert shared.calls() == before + 2  # the own record, which is what is searched


@pytest.mark.promise("B3")
@pytest.mark.threat("A18")
@pytest.mark.clause("SMART 2.2 server", "119", "245")
def test_a_report_that_names_somebody_else_besides_is_withheld(app: App) -> None:
    assert "r3" not in app.ids("/DiagnosticReport")
    assert app.get("/DiagnosticReport/r3").status_code == 404


@pytest.mark.promise("B3")
@pytest.mark.threat("A18")
@pytest.mark.parametrize(
    "more",
    [{"contained": [{"resourceType": "Group", "id": "g"}]}, {"performer": [{"reference": "Patient/ben"}]},
     {"extension": [{"url": "x", "valueReference": {"type": "Patient", "identifier": {"value": "SE-1002"}}}]},
     {"result": [{"reference": "https://other.example/fhir/Patient/ben"}]}],
)  # fmt: skip
def test_a_report_that_came_to_name_somebody_else_is_withheld_at_once(own: Clinic, more: dict[str, Any]) -> None:
    app = own.app()
    assert app.ids("/DiagnosticReport") == ["r1", "r2"]
    changed = {**own.composed.first.records["ana"].reports[0], **more}
    own.composed.first.ehr.server.at("/fhir/DiagnosticReport/r1", fhir(changed))
    assert app.get("/DiagnosticReport/r1").status_code == 404
    assert "One nodule" not in app.get("/DiagnosticReport").text


@pytest.mark.promise("B3")
@pytest.mark.threat("A16")
@pytest.mark.clause("SMART 2.2 server", "130")
@pytest.mark.parametrize("type_", ["batch", "transaction", "history", "searchset"])
def test_bundles_are_refused_and_nothing_in_them_is_read(shared: Clinic, app: App, type_: str) -> None:
    entry = {"request": {"method": "GET", "url": "ImagingStudy"}}
    nested = {"resourceType": "Bundle", "type": type_, "entry": [entry, {"resource": {"resourceType": "Bundle"}}]}
    before = shared.calls()
    for path in ("", "/"):
        assert codes(app.get(path, method="POST", json=nested)) == (400, "not-supported", "fhir-batch")
    assert app.get("/", method="POST", data=b"x" * 70_000).status_code in {400, 413}
    assert shared.calls() == before


@pytest.mark.promise("B3")
@pytest.mark.threat("A17")
@pytest.mark.clause("SMART 2.2 server", "244")
@pytest.mark.parametrize(
    "path",
    ["/Patient/ana/_history", "/Patient/ana/_history/1", "/ImagingStudy/_history", "/_history",
     "/Patient/ana/$everything", "/$export", "/Patient/$export", "/Patient/ana/ImagingStudy", "/Observation",
     "/Observation/1", "/", "/Binary", "/RelatedPerson", "/Patient/..", "/Patient/ana/"],
)  # fmt: skip
def test_there_is_no_history_and_no_operation(shared: Clinic, app: App, path: str) -> None:
    before = shared.calls()
    assert app.get(path).status_code == 404
    assert app.get(path).get_json(force=True)["resourceType"] == "OperationOutcome"
    assert shared.calls() == before


@pytest.mark.promise("B3")
@pytest.mark.parametrize(("method", "path"), [("PUT", "/Patient/ana"), ("DELETE", "/Patient/ana"),
                                              ("PATCH", "/Patient/ana"), ("POST", "/ImagingStudy")])  # fmt: skip
def test_nothing_is_written_here(app: App, method: str, path: str) -> None:
    answer = app.get(path, method=method, json={})
    assert codes(answer) == (405, "not-supported", "http-405")
    assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.promise("B3")
@pytest.mark.clause("SMART 2.2 server", "95", "243")
@pytest.mark.parametrize(
    ("scope", "path", "status"),
    [
        ("patient/ImagingStudy.r", "/ImagingStudy", 403),
        ("patient/ImagingStudy.s", "/ImagingStudy", 200),
        ("patient/ImagingStudy.s", "/ImagingStudy/none", 403),
        ("patient/ImagingStudy.r", "/ImagingStudy/none", 404),
        ("patient/ImagingStudy.rs", "/DiagnosticReport/r1", 403),
        ("patient/ImagingStudy.rs", "/DiagnosticReport", 403),
        ("patient/DiagnosticReport.s", "/DiagnosticReport", 200),
        ("patient/DiagnosticReport.s", "/DiagnosticReport/r1", 403),
        ("patient/DiagnosticReport.rs", "/ImagingStudy", 403),
        ("patient/ImagingStudy.rs", "/Binary/none", 403),
        ("patient/ImagingStudy.rs", "/Patient", 403),
        ("patient/ImagingStudy.rs", "/Endpoint", 200),
        ("user/ImagingStudy.rs patient/Patient.r", "/ImagingStudy", 403),
        ("patient/Observation.rs", "/ImagingStudy", 403),
    ],
)
def test_a_token_without_the_kind_of_right_is_told_so(shared: Clinic, scope: str, path: str, status: int) -> None:
    app, before = shared.app(scope), shared.calls()
    answer = app.get(path)
    assert answer.status_code == status
    if status == 403:
        assert codes(answer) == (403, "forbidden", "insufficient-scope")
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope"'
        assert shared.calls() == before


@pytest.mark.promise("B3")
def test_a_grant_without_reports_has_none_of_their_files_either(shared: Clinic) -> None:
    app = shared.app("patient/*.rs", reports=False)
    for path in ("/DiagnosticReport", "/DiagnosticReport/r1", "/DocumentReference", "/Binary/none"):
        assert app.get(path).status_code == 403
    assert app.ids("/Practitioner") == []


@pytest.mark.promise("B3")
def test_a_deidentified_grant_shows_other_uids_and_no_words(shared: Clinic) -> None:
    app = shared.app("patient/ImagingStudy.rs", images="deidentified", reports=False)
    page = app.get("/ImagingStudy").get_json(force=True)
    found = [each["resource"] for each in page["entry"] if each["search"]["mode"] == "match"]
    assert len(found) == 3
    for study in found:
        assert study["identifier"][0]["value"].startswith("urn:oid:2.25.")
        assert all(series["uid"].startswith("2.25.") for series in study["series"])
        assert "description" not in study
        assert app.json(f"/ImagingStudy/{study['id']}") == study
    assert app.ids("/ImagingStudy?identifier=1.2.3") == []


@pytest.mark.promise("B4")
@pytest.mark.threat("A20")
@pytest.mark.clause("SMART 2.2 server", "94")
@pytest.mark.parametrize(
    ("state", "status", "code", "issue"),
    [
        (GrantState.ENDED, 401, "token", "login"),
        (GrantState.SUSPENDED, 401, "token", "login"),
        (GrantState.PAUSED, 403, "grant-paused", "forbidden"),
        (GrantState.DORMANT, 403, "grant-dormant", "forbidden"),
        (GrantState.FROZEN, 403, "grant-frozen", "forbidden"),
        (GrantState.NEEDS_SIGN_IN, 403, "grant-needs-sign-in", "login"),
    ],
)
def test_a_grant_that_does_not_stand_gives_nothing(
    shared: Clinic, state: GrantState, status: int, code: str, issue: str
) -> None:
    app = shared.app()
    assert app.get("/Patient/ana").status_code == 200
    shared.set_state(app, state)
    before = shared.calls()
    for path in ("/Patient/ana", "/ImagingStudy", "/DiagnosticReport/r1"):
        answer = app.get(path)
        assert codes(answer) == (status, issue, code)
        assert (answer.headers.get("WWW-Authenticate") == 'Bearer error="invalid_token"') is (status == 401)
    assert shared.calls() == before


@pytest.mark.promise("B3")
@pytest.mark.threat("O58")
@pytest.mark.clause("SMART 2.2 server", "247")
def test_only_a_token_of_this_hospital_in_the_header_counts(shared: Clinic, app: App) -> None:
    for headers in ({}, {"Authorization": f"Basic {app.token}"}, {"Authorization": "Bearer sat_unknown-unknown"}):
        answer = app.client.get("/st-elsewhere/fhir/Patient", headers=headers, base_url=BASE)
        assert codes(answer) == (401, "login", "token")
    for where in (f"?access_token={app.token}", ""):
        answer = app.client.get(f"/st-elsewhere/fhir/Patient{where}", base_url=BASE)
        assert answer.status_code == 401
    assert app.get("/Patient", provider="mercy").status_code == 401
    assert app.get("/Patient", provider="nowhere").status_code == 401


@pytest.mark.promise("E8")
def test_a_hospital_that_does_not_answer_is_no_empty_list(own: Clinic) -> None:
    app = own.app()
    own.composed.first.archive.script = lambda _asked: Reply(503)
    answer = app.get("/ImagingStudy?patient=ana")
    assert (answer.status_code, answer.get_json(force=True)["issue"][0]["code"]) == (503, "transient")
    assert int(answer.headers["Retry-After"]) > 0
    own.composed.first.ehr.server.at("/fhir/DiagnosticReport/r1", fhir({}, 503))
    assert app.get("/DiagnosticReport/r1").status_code in {502, 503}


@pytest.mark.promise("B3")
def test_a_hospital_that_takes_the_credential_no_longer_makes_the_grant_wait(own: Clinic) -> None:
    app = own.app()
    assert app.get("/DiagnosticReport/r1").status_code == 200
    own.composed.first.ehr.server.at("/fhir/DiagnosticReport/r1", fhir({}, 401))
    answer = app.get("/DiagnosticReport/r1")
    assert codes(answer)[:2] == (403, "login")
    assert codes(app.get("/ImagingStudy")) == (403, "login", "grant-needs-sign-in")
