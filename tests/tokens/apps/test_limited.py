"""The operator limits what an app may have: from the next request on, for what it holds already, on every worker."""

from __future__ import annotations

import pytest

from smartapp.consent.scopes.grammar import parse, text
from smartapp.consent.scopes.model import Scopes
from smartapp.identity.apps.model import App, AppState
from tests.tokens.apps.house import PROVIDER, READ, SCOPE, AppHouse

REPORTS = "patient/DiagnosticReport.rs"


def limit(house: AppHouse, app: App, scope: str) -> None:
    house.apps.decide(PROVIDER, app.client_id, AppState.ACTIVE, ground="", by="operator", offered=scope)


def carried(house: AppHouse, token: str) -> Scopes:
    return house.tokens.lookup(PROVIDER, token).scopes


@pytest.mark.threat("A28")
@pytest.mark.promise("B6")
def test_a_limit_holds_for_tokens_that_were_handed_out_before(worker: AppHouse) -> None:
    app = worker.app()
    one = worker.issued(app=app)
    with worker.another() as other:
        limit(worker, app, f"{READ}?modality=CT")
        for house in (worker, other):
            scopes = carried(house, one.access_token)
            assert text(Scopes(scopes.resources)) == f"{READ}?modality=CT"
            assert scopes.words == {"launch/patient", "offline_access"}  # how the family began and how long it lives
            told = house.tokens.introspect(PROVIDER, one.access_token)
            assert told is not None
            assert parse(told.scope) == scopes
    two = worker.refresh(one.refresh_token)
    assert parse(two.scope) == carried(worker, two.access_token) == scopes
    limit(worker, app, REPORTS)
    assert text(Scopes(carried(worker, two.access_token).resources)) == ""
    assert text(Scopes(carried(worker, one.access_token).resources)) == REPORTS
    told = worker.tokens.introspect(PROVIDER, one.refresh_token or "")
    assert told is None  # it was rotated
    limit(worker, app, "")
    assert carried(worker, one.access_token) == parse(SCOPE)
    assert parse(worker.refresh(two.refresh_token).scope) == parse(SCOPE)


@pytest.mark.threat("A28")
def test_a_code_from_before_buys_no_more_than_the_limit(house: AppHouse) -> None:
    app = house.app()
    code = house.code(house.grant(app))
    limit(house, app, f"openid {REPORTS}")
    issued = house.redeem(code, app.client_id)
    assert parse(issued.scope) == parse(f"launch/patient openid offline_access {REPORTS}")


@pytest.mark.threat("A28")
def test_a_services_token_is_worth_what_the_policy_says_now(house: AppHouse) -> None:
    app = house.app("private_key_jwt")
    token = house.tokens.issue_for_backend(app, "system/ImagingStudy.rs", request_id="req").access_token

    def said() -> str | None:
        found = house.tokens.introspect(PROVIDER, token)
        return found.scope if found else None

    for offered, worth in (
        ("", "system/ImagingStudy.rs"),
        ("system/ImagingStudy.s", "system/ImagingStudy.s"),
        ("system/DiagnosticReport.rs", None),
        ("patient/*.rs", None),
        ("system/*.rs", "system/ImagingStudy.rs"),
    ):
        limit(house, app, offered)
        assert said() == worth
