"""Where the EHR gives no refresh token: what a patient allows goes on by backend services, for that patient alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from smartapp.consent.grants.model import GrantState
from smartapp.identity.model import Principal, PrincipalKind
from smartapp.tokens.model import on_system
from tests.exchange.conftest import MAIL
from tests.exchange.desk import Office
from tests.fhir_upstream.fake_fhir import bundle, fhir
from tests.launch.server import Asked, Said, said
from tests.support.databases import SqliteFiles
from tests.threats.composed import Browser, composed
from tests.threats.hospital import Hospital

SCOPES = ("system/Patient.rs", "system/ImagingStudy.rs", "system/DiagnosticReport.rs")
pytestmark = [pytest.mark.promise("B1"), pytest.mark.promise("B3")]


def serving_everybody(hospital: Hospital) -> None:
    """To a backend service the EHR shows everybody's data, whatever its search asks for."""
    routes, own = hospital.ehr.server.routes, dict(hospital.ehr.server.routes)

    def token(asked: Asked) -> Said:
        if asked.form.get("grant_type") != "client_credentials":
            return own["/auth/token"](asked)
        return said({"access_token": "system-1", "token_type": "bearer", "expires_in": 300, "scope": " ".join(SCOPES)})

    def shown(path: str) -> Any:
        def answer(asked: Asked) -> Said:
            if asked.headers.get("authorization") != "Bearer system-1":
                return own[path](asked)
            what = {"/fhir/ImagingStudy": "studies", "/fhir/DiagnosticReport": "reports"}.get(path)
            if what is not None:
                return fhir(bundle(*(row for each in hospital.records.values() for row in getattr(each, what))))
            patient = next((each for each in hospital.records if path.endswith(f"/{each}")), "ana")
            as_theirs = replace(asked, headers={**asked.headers, "authorization": f"Bearer {hospital.token(patient)}"})
            return own[path](as_theirs)

        return answer

    routes["/auth/token"] = token
    routes.update({path: shown(path) for path in own if path.startswith("/fhir/") and "well-known" not in path})


@pytest.fixture
def office(
    sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    folder: Path = tmp_path_factory.mktemp("system")
    key = folder / "backend.jwk"
    key.write_text(json.dumps(ECKey.generate_key("P-384", private=True).as_dict(private=True)))
    provider = Hospital.provider
    facts: dict[str, Any] = {"system_client_id": "backend", "system_private_key_file": key, "system_scopes": SCOPES}
    monkeypatch.setattr(Hospital, "provider", lambda self, **more: replace(provider(self, **more), **facts))
    with composed(sqlite_files, folder, mail=MAIL) as running:
        made = Office(running)
        monkeypatch.setattr(made.desk.keeper, "lasting", lambda *_: False)
        serving_everybody(running.first)
        yield made


def away(office: Office, browser: Browser) -> None:
    session = office.parts.identity.lookup(browser.cookie())
    assert session is not None
    office.parts.sign_in.sign_out(session, request_id="")


def allowed(office: Office) -> tuple[str, Principal]:
    """The app's token, once Ana has allowed it and gone."""
    browser, ana = office.someone()
    issued = office.redeem(office.approve(ana))
    assert "offline_access" in issued.scope.split()
    away(office, browser)
    return issued.access_token, ana


def ask(office: Office, path: str, token: str, door: str = "fhir") -> Any:
    return office.composed.browser().get(f"/st-elsewhere/{door}/{path}", headers={"Authorization": f"Bearer {token}"})


def system_requests(office: Office) -> list[Asked]:
    asked = office.composed.first.ehr.server.asked("/auth/token")
    return [each for each in asked if each.form["grant_type"] == "client_credentials"]


@pytest.mark.promise("B2")
def test_the_page_says_that_the_hospital_lets_it_go_on(office: Office) -> None:
    browser, ana = office.someone()
    handle = office.ask()
    office.parts.approvals.bind(handle, ana.session_id)
    office.parts.approvals.note_offline_tried(handle, ana.session_id)
    page = browser.get(f"/st-elsewhere/oauth/approve/{handle}").text
    assert "the hospital lets this app" in page
    assert "only while you are signed in here" not in page


@pytest.mark.promise("B4")
def test_the_permissions_own_page_says_so_while_it_lives(office: Office) -> None:
    allowed(office)
    browser, later = office.someone()
    grant = office.the_grant(later)
    page = f"/my/{browser.ctx}/apps/{grant.id}/"
    assert "the hospital lets this app" in browser.get(page).text
    office.grants.end(later, grant.id, request_id="")
    ended = browser.get(page)
    assert ended.status_code == 200
    assert "the hospital lets this app" not in ended.text


def test_the_app_reads_the_patients_and_nobody_elses_when_the_patient_is_away(office: Office) -> None:
    token, _ = allowed(office)
    office.composed.clock.advance(200)  # what the patient was shown is too old to be shown to an app
    found = ask(office, "ImagingStudy?patient=ana", token)
    assert found.status_code == 200, found.text
    listed = [entry["resource"] for entry in found.json["entry"] if entry["resource"]["resourceType"] == "ImagingStudy"]
    assert [each["subject"]["reference"] for each in listed] == ["Patient/ana"]
    assert "urn:oid:1.8" not in found.text
    assert len(system_requests(office)) == 1
    reports = ask(office, "DiagnosticReport?patient=ana", token)
    assert reports.status_code == 200
    told = [entry["resource"] for entry in reports.json["entry"]]
    assert {each["subject"]["reference"] for each in told if "subject" in each} == {"Patient/ana"}
    assert ask(office, "Patient/ben", token).status_code == 404
    assert ask(office, "ImagingStudy?patient=ben", token).status_code == 403
    assert ask(office, "studies/1.2.3/series", token, "dicomweb").status_code == 200
    assert ask(office, "studies/1.8/series", token, "dicomweb").status_code == 404
    assert "smart.system.use" in office.composed.kinds()


def test_an_ended_grant_is_over_at_once_and_nothing_is_asked(office: Office) -> None:
    token, _ = allowed(office)
    _, later = office.someone()
    grant = office.the_grant(later)
    assert on_system(grant.credential_id)
    assert grant.session_id is None
    office.grants.end(later, grant.id, request_id="")
    before = office.composed.calls()
    assert ask(office, "ImagingStudy?patient=ana", token).status_code == 401
    assert office.composed.calls() == before
    assert system_requests(office) == []


def test_what_was_found_so_is_not_what_the_patient_is_shown(office: Office) -> None:
    """The EHR may hold back from patients what it shows a backend service."""
    token, _ = allowed(office)
    office.composed.clock.advance(200)
    assert ask(office, "ImagingStudy?patient=ana", token).status_code == 200
    before = len(office.composed.first.ehr.server.asked("/fhir/ImagingStudy"))
    _, later = office.someone()
    office.parts.records.studies(later, "")
    asked = office.composed.first.ehr.server.asked("/fhir/ImagingStudy")[before:]
    assert [each.headers["authorization"] for each in asked] == [f"Bearer {office.composed.first.token('ana')}"]


def test_a_representative_allows_for_the_session_only(office: Office) -> None:
    _, ana = office.someone()
    mother = replace(ana, kind=PrincipalKind.REPRESENTATIVE)
    offer = office.grants.offer(mother, office.parts.approvals.open(office.ask()))
    assert (offer.works_offline, offer.by_hospital) == (False, False)


@pytest.mark.parametrize(("answer", "status"), [(said({"error": "invalid_client"}, 401), 403), (Said(status=503), 503)])
def test_a_no_waits_for_a_sign_in_and_silence_does_not(office: Office, answer: Said, status: int) -> None:
    token, _ = allowed(office)
    server = office.composed.first.ehr.server
    routes = server.routes["/auth/token"]

    def refusing(asked: Asked) -> Said:
        return answer if asked.form.get("grant_type") == "client_credentials" else routes(asked)

    server.routes["/auth/token"] = refusing
    office.composed.clock.advance(200)
    refused = ask(office, "ImagingStudy?patient=ana", token)
    assert refused.status_code == status, refused.text
    assert refused.json["resourceType"] == "OperationOutcome"
    if status == 403:
        assert refused.json["issue"][0]["code"] == "login"
        assert "smart.system.refused" in office.composed.kinds()
    for _ in range(3):
        ask(office, "ImagingStudy?patient=ana", token)
    assert len(system_requests(office)) == 1
    server.routes["/auth/token"] = routes
    _, later = office.someone()
    assert office.the_grant(later).state is GrantState.ACTIVE
