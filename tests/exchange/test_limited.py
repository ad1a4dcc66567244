"""The operator's limit over HTTP: what a token that is out there opens at the next request."""

from __future__ import annotations

import pytest

from smartapp.identity.apps.model import AppState
from tests.exchange.desk import Office

HOSPITAL = "st-elsewhere"
IMAGES = "patient/ImagingStudy.rs"


@pytest.mark.threat("A28")
@pytest.mark.promise("B6")
def test_what_the_operator_took_away_is_refused_and_nobody_upstream_is_asked(office: Office) -> None:
    _, ana = office.someone()
    token = office.redeem(office.approve(ana, reports=True, images="full")).access_token
    client = office.composed.house.app.test_client(use_cookies=False)

    def status(path: str) -> int:
        sent = {"Authorization": f"Bearer {token}"}
        return client.get(f"/{HOSPITAL}/{path}", headers=sent, base_url="https://images.example.org").status_code

    paths = ("fhir/ImagingStudy?patient=ana", "dicomweb/studies", "fhir/DiagnosticReport?patient=ana")
    assert [status(path) for path in paths] == [200, 200, 200]

    def limit(scope: str) -> None:
        office.parts.apps.decide(
            HOSPITAL, office.app.client_id, AppState.ACTIVE, ground="", by="operator", offered=scope
        )

    limit("patient/DiagnosticReport.rs")
    before = office.composed.calls()
    assert [status(path) for path in paths[:2]] == [403, 403]
    assert office.composed.calls() == before
    assert status(paths[2]) == 200
    limit(IMAGES)
    before = office.composed.calls()
    assert status(paths[2]) == 403
    assert office.composed.calls() == before
    assert [status(path) for path in paths[:2]] == [200, 200]
    limit("")
    assert [status(path) for path in paths] == [200, 200, 200]
