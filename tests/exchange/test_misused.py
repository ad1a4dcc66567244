"""Tokens shown where or as what they must not be, over HTTP: they open nothing, and the trail says so."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from smartapp.identity.apps.model import AppState
from smartapp.tokens.apps.model import Issued
from tests.exchange.desk import Office

BASE = "https://images.example.org"
HERE = "/st-elsewhere"
READS = (f"{HERE}/fhir/Patient/ana", f"{HERE}/dicomweb/studies", f"{HERE}/oauth/userinfo")


class Prober:
    """Asks at each kind of address; the kinds of rows that a question left, and that nobody upstream was asked."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.client = office.composed.house.app.test_client(use_cookies=False)

    def rows(self, path: str, *, method: str = "GET", status: int = 401, **kwargs: Any) -> list[tuple[str, str]]:
        before, calls = len(self._all()), self.office.composed.calls()
        answer: TestResponse = self.client.open(path, method=method, base_url=BASE, **kwargs)
        assert answer.status_code == status, path
        assert self.office.composed.calls() == calls
        return self._all()[before:]

    def _all(self) -> list[tuple[str, str]]:
        with self.office.composed.ground.database.read() as session:
            found = session.execute(text("SELECT kind, severity FROM audit_events ORDER BY seq")).all()
        return [(kind, severity) for kind, severity in found]


@pytest.fixture
def prober(office: Office) -> Prober:
    return Prober(office)


@pytest.fixture
def issued(office: Office) -> Issued:
    _, ana = office.someone()
    return office.redeem(office.approve(ana, images="full", reports=True))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.threat("O58")
@pytest.mark.clause("RFC 6750", "2", "2.2", "2.3", "5.3")
@pytest.mark.parametrize("path", READS)
def test_a_token_in_the_wrong_place_is_written_down(prober: Prober, issued: Issued, path: str) -> None:
    token = issued.access_token
    told = [("token.bad_transport", "info")]
    assert prober.rows(f"{path}?access_token={token}") == told
    for header in (f"Bearer  {token}", f"bearer {token}", f"Token {token}", f"Bearer {token}, Bearer {token}", token):
        assert prober.rows(path, headers={"Authorization": header}) == told, header
    stranger = "sat_" + secrets.token_urlsafe(32)
    for other in (stranger, "x", "", token[:-1], token + "A"):
        assert prober.rows(f"{path}?access_token={other}") == []
        assert prober.rows(path, headers={"Authorization": f"Token {other}"}) == []
    assert prober.rows(path) == []


@pytest.mark.threat("O58")
def test_a_token_in_a_form_is_written_down(prober: Prober, issued: Issued) -> None:
    for path in (f"{HERE}/oauth/userinfo", f"{HERE}/fhir/Patient/_search"):
        form = {"access_token": issued.access_token}
        assert prober.rows(path, method="POST", data=form) == [("token.bad_transport", "info")]
        large = {**form, "x": "x" * 20_000}
        assert prober.rows(path, method="POST", data=large) == []


@pytest.mark.threat("O59")
@pytest.mark.parametrize("path", READS)
def test_what_is_no_access_token_here_is_written_down_when_it_is_ours(
    prober: Prober, office: Office, issued: Issued, path: str
) -> None:
    wrong = [("token.wrong_use", "high")]
    id_token = office.parts.signing.sign({"sub": "x", "aud": office.app.client_id})
    _, ana = office.someone()
    code = office.approve(ana)
    for token in (id_token, issued.refresh_token or "", code):
        assert prober.rows(path, headers=bearer(token)) == wrong
    assert prober.rows(path.replace(HERE, "/mercy"), headers=bearer(issued.access_token)) == wrong
    forged = ".".join((id_token.rpartition(".")[0], secrets.token_urlsafe(256)))
    for token in (forged, "srt_" + secrets.token_urlsafe(32), "sat_" + secrets.token_urlsafe(32)):
        assert prober.rows(path, headers=bearer(token)) == []
    assert office.redeem(code)  # being shown there used nothing up


@pytest.fixture(params=["grant", "family"])
def ended(request: pytest.FixtureRequest, office: Office, issued: Issued) -> None:
    """The grant, by the patient; or the family, by the app."""
    if request.param == "grant":
        assert issued.grant is not None
        _, ana = office.someone()
        office.grants.end(ana, issued.grant.id)
    else:
        office.parts.app_tokens.revoke(
            HERE.strip("/"), issued.access_token, client_id=office.app.client_id, request_id="req"
        )


@pytest.mark.threat("A20")
@pytest.mark.usefixtures("ended")
def test_a_token_that_is_over_is_written_down_when_it_is_shown_again_and_once(prober: Prober, issued: Issued) -> None:
    assert prober.rows(READS[0], headers=bearer(issued.access_token)) == [("authz.revoked", "info")]
    for path in READS:
        assert prober.rows(path, headers=bearer(issued.access_token)) == []


@pytest.mark.threat("A20")
def test_what_may_come_back_is_not_forgotten(prober: Prober, office: Office, issued: Issued) -> None:
    """The operator suspends the app, and takes it back: the tokens of before count again."""
    for state, status in ((AppState.SUSPENDED, 401), (AppState.ACTIVE, 200)):
        office.parts.apps.decide("st-elsewhere", office.app.client_id, state, ground="security: x", by="operator")
        answer = prober.client.get(READS[2], headers=bearer(issued.access_token), base_url=BASE)
        assert answer.status_code == status
    assert ("authz.revoked", "info") not in prober._all()
