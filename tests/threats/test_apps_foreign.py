"""An app asks for what is not its patient's, or stands elsewhere: it is not there, and no hospital is asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from smartapp.consent.grants.model import GrantState
from smartapp.identity.apps.model import AppMetadata, AppState
from tests.fhir_facade.app import App, Clinic, clinic
from tests.gateway.app import MULTIPART
from tests.support.databases import SqliteFiles
from tests.threats.composed import BASE

ANAS = "/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1"
BENS = "/studies/1.8/series/1.8.1/instances/1.8.1.1"
MIXED = {
    "another patient's instance": "/studies/1.2.3/series/1.8.1/instances/1.8.1.1",
    "another patient's instance in a series of hers": "/studies/1.2.3/series/1.2.3.1/instances/1.8.1.1",
    "another patient's series": "/studies/1.2.3/series/1.8.1",
    "an instance of the other series": "/studies/1.2.3/series/1.2.3.1/instances/1.2.3.2.1",
    "a series of her other study": "/studies/1.2.3/series/1.5.1",
    "nothing": "/studies/1.2.3/series/9.9/instances/9.9.9",
}


@pytest.fixture(scope="module")
def shared(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with clinic(sqlite_files, tmp_path_factory.mktemp("foreign")) as running:
        yield running


def look(app: App, path: str, accept: str = MULTIPART, **headers: str) -> tuple[int, bytes]:
    sent = {"Authorization": f"Bearer {app.token}", "Accept": accept, **headers}
    answer = app.client.get(f"/st-elsewhere/dicomweb{path}", headers=sent, base_url=BASE)
    return answer.status_code, answer.data


@pytest.fixture(scope="module")
def ana(shared: Clinic) -> App:
    """It has seen the list of her studies, and the one."""
    app = shared.app()
    assert look(app, "/studies", "application/dicom+json")[0] == 200
    assert look(app, "/studies/1.2.3")[0] == 200
    return app


@pytest.mark.threat("A2")
@pytest.mark.threat("A3")
@pytest.mark.parametrize("which", MIXED)
def test_what_is_out_of_its_place_is_as_nothing(shared: Clinic, ana: App, which: str) -> None:
    path = MIXED[which]
    tails = ["", "/metadata", *(["/frames/1", "/rendered", "/thumbnail"] if "instances" in path else ["/thumbnail"])]
    calls = shared.calls()
    for tail in tails:
        accept = "application/octet-stream" if "frames" in tail else "*/*" if tail else MULTIPART
        status, body = look(ana, path + tail, accept)
        assert status == 404, tail
        assert b"1.8" not in body
        assert b"DICM" not in body
    assert shared.calls() == calls


@pytest.mark.threat("A23")
@pytest.mark.threat("A24")
@pytest.mark.parametrize("headers", [{}, {"If-None-Match": "*"}, {"Range": "bytes=0-0"}, {"Cache-Control": "no-cache"}])
def test_what_is_cached_for_one_patient_is_not_there_for_another(
    shared: Clinic, ana: App, headers: dict[str, str]
) -> None:
    ben = shared.app(patient="ben")
    assert look(ben, BENS)[0] == 200
    calls, rows = shared.calls(), len(shared.kinds())
    for asking, path in ((ben, ANAS), (ana, BENS), (ben, "/studies/1.2.3"), (ana, "/studies/1.8")):
        for tail in ("", "/metadata"):
            status, body = look(asking, path + tail, "*/*" if tail else MULTIPART, **headers)
            assert (status, b"DICM" in body, b"Canary" in body) == (404, False, False)
    assert shared.calls() == calls
    assert shared.kinds()[rows:] == ["authz.denied"] * 8


@pytest.mark.threat("A20")
@pytest.mark.threat("A23")
def test_what_is_cached_is_not_given_when_the_grant_ended(shared: Clinic) -> None:
    """The decision comes before the cache is looked at."""
    app = shared.app()
    assert look(app, ANAS)[0] == 200
    calls = shared.calls()
    for state, status in ((GrantState.PAUSED, 403), (GrantState.ENDED, 401)):
        shared.set_state(app, state)
        assert look(app, ANAS)[0] == status
    assert shared.calls() == calls


@pytest.mark.threat("A29")
def test_a_services_token_is_nobodys_and_not_everybodys(shared: Clinic, ana: App) -> None:
    """It names no patient, whatever scope it has."""
    metadata = AppMetadata(
        "A service", (), ("client_credentials",), "private_key_jwt", "system/*.rs", jwks={"keys": []}
    )  # fmt: skip
    service = shared.parts.apps.register(metadata, provider="st-elsewhere", state=AppState.ACTIVE).app
    issued = shared.parts.app_tokens.issue_for_backend(service, "system/*.rs", request_id="req-test")
    calls, before = shared.calls(), len(no_context(shared))
    app = App(shared, ana.client, issued.access_token, "", service.client_id)
    for path in ("/studies", "/studies/1.2.3", ANAS):
        status, body = look(app, path, "*/*")
        assert (status, b"Canary" in body) == (403, False)
    for path in ("/Patient", "/Patient/ana", "/ImagingStudy", "/ImagingStudy?patient=ana", "/DiagnosticReport/r1"):
        answer = app.get(path)
        assert (answer.status_code, "Canary" in answer.text) == (403, False), path
        assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    assert shared.calls() == calls
    assert no_context(shared)[before:] == ["info"] * 8


@pytest.mark.threat("A29")
def test_a_token_of_patients_without_a_patient_reaches_nobody_and_is_told(shared: Clinic, ana: App) -> None:
    """None is ever handed out so: it stands for a row that somebody wrote into the database."""
    service = shared.parts.apps.register(
        AppMetadata("A service", (), ("client_credentials",), "private_key_jwt", "patient/*.rs", jwks={"keys": []}),
        provider="st-elsewhere",
        state=AppState.ACTIVE,
    ).app
    issued = shared.parts.app_tokens.issue_for_backend(service, "patient/*.rs", request_id="req-test")
    calls, before = shared.calls(), len(no_context(shared))
    app = App(shared, ana.client, issued.access_token, "", service.client_id)
    assert (look(app, ANAS, "*/*")[0], app.get("/ImagingStudy").status_code) == (403, 403)
    assert no_context(shared)[before:] == ["high", "high"]
    assert shared.calls() == calls


def no_context(clinic_: Clinic) -> list[str]:
    with clinic_.composed.ground.database.read() as session:
        found = session.execute(text("SELECT severity FROM audit_events WHERE kind = 'authz.no_context' ORDER BY seq"))
        return list(found.scalars())
