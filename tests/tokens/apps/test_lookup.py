"""What a token is worth is read anew at each request, in every worker."""

from dataclasses import replace

import pytest

from smartapp.errors import CodeRefused, NotSignedIn, PermitEnded, RefreshRefused, ScopeMissing, TokenOfAnother
from smartapp.identity.apps.model import AppState
from smartapp.identity.model import PrincipalKind
from smartapp.tokens.apps import store
from tests.tokens.apps.house import OTHER, PROVIDER, READ, SCOPE, AppHouse


@pytest.mark.parametrize("raw", ["", "sat_", "sat_" + "A" * 43, "svt_x", "\0", "\ud800", "é" * 9000])
def test_any_other_text_is_no_token(house: AppHouse, raw: str) -> None:
    issued = house.issued()
    for wrong in (raw, issued.access_token + "A", issued.access_token[:-1], issued.refresh_token or ""):
        with pytest.raises(NotSignedIn):
            house.tokens.lookup(PROVIDER, wrong)


@pytest.mark.threat("O59")
def test_a_token_counts_at_its_own_hospital_only(house: AppHouse) -> None:
    issued = house.issued()
    with pytest.raises(NotSignedIn):
        house.tokens.lookup(OTHER, issued.access_token)
    assert house.tokens.introspect(OTHER, issued.access_token) is None
    house.tokens.revoke(OTHER, issued.access_token, client_id="app-x", request_id="")
    assert house.tokens.lookup(PROVIDER, issued.access_token)


@pytest.mark.parametrize(("after", "counts"), [(3599, True), (3600, False)])
def test_it_lives_an_hour(worker: AppHouse, after: int, *, counts: bool) -> None:
    issued = worker.issued()
    worker.clock.advance(after)
    assert (worker.tokens.introspect(PROVIDER, issued.access_token) is not None) is counts
    if counts:
        assert worker.tokens.lookup(PROVIDER, issued.access_token).kind is PrincipalKind.APP
    else:
        with pytest.raises(NotSignedIn):
            worker.tokens.lookup(PROVIDER, issued.access_token)


def test_what_is_over_is_cleared_away_in_small_transactions(worker: AppHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_BATCH", 2)
    for each in range(5):
        worker.issued(scope=READ, person_id=f"per-{each}")
    worker.tokens.first_use(PROVIDER, "app-x", "jti", worker.clock.now(), request_id="r")
    worker.clock.advance(366 * 86400)
    worker.tokens.tidy()
    tables = ("app_access_tokens", "app_families", "app_codes", "app_refresh_tokens", "app_assertions")
    assert [worker.count(each) for each in tables] == [0, 0, 0, 0, 0]


def test_what_is_over_is_cleared_away_and_what_is_not_stays(worker: AppHouse) -> None:
    worker.issued(scope=READ)
    worker.clock.advance(3600)
    worker.issued(person_id="per-ben")
    worker.tokens.tidy()
    assert (worker.count("app_access_tokens"), worker.count("app_families"), worker.count("app_codes")) == (1, 1, 1)
    worker.clock.advance(365 * 86400)
    worker.issued(person_id="per-cy")
    worker.tokens.tidy()
    assert (worker.count("app_refresh_tokens"), worker.count("app_families")) == (1, 1)


@pytest.mark.promise("B5")
@pytest.mark.threat("O37")
def test_the_terms_that_changed_end_what_runs(house: AppHouse) -> None:
    issued = house.issued()
    assert issued.grant is not None
    principal = house.tokens.lookup(PROVIDER, issued.access_token)
    house.tokens.require_live(principal)
    narrower = replace(issued.grant, version=2, terms=replace(issued.grant.terms, reports=False))
    with house.database.write() as session:
        house.grants.put(session, narrower, kind="changed", by="patient")
    with pytest.raises(PermitEnded):
        house.tokens.require_live(principal)
    house.tokens.require_live(house.tokens.lookup(PROVIDER, issued.access_token))


@pytest.mark.parametrize("state", [AppState.SUSPENDED, AppState.REFUSED, AppState.PENDING])
def test_an_app_that_may_not_act_ends_what_runs(house: AppHouse, state: AppState) -> None:
    issued = house.issued()
    principal = house.tokens.lookup(PROVIDER, issued.access_token)
    house.apps.decide(PROVIDER, principal.client_id, state, ground="unsafe", by="op")
    with pytest.raises(PermitEnded):
        house.tokens.require_live(principal)
    assert house.tokens.introspect(PROVIDER, issued.access_token) is None
    assert house.tokens.introspect(PROVIDER, issued.refresh_token or "") is None


def test_what_runs_outlives_neither_the_token_nor_the_family(house: AppHouse) -> None:
    principal = house.tokens.lookup(PROVIDER, house.issued().access_token)
    assert principal.expires_at == house.later(seconds=3600)
    house.clock.advance(3601)
    once = house.tokens.lookup(PROVIDER, house.issued(READ, person_id="per-ben").access_token)
    assert once.expires_at == house.later(seconds=3600)
    house.clock.advance(3601)
    with pytest.raises(PermitEnded):
        house.tokens.require_live(once)


@pytest.mark.parametrize("how", ["told", "lapsed", "signed-out"])
def test_online_access_dies_with_the_browser_session(house: AppHouse, how: str) -> None:
    opened = house.house.sign_in()
    grant = house.grant(house.app())
    issued = house.redeem(house.code(grant, f"online_access {READ}", session_id=opened.session_id), grant.client_id)
    principal = house.tokens.lookup(PROVIDER, issued.access_token)
    if how == "told":
        with house.database.write() as session:
            house.tokens.end_session(session, opened.session_id)
    elif how == "lapsed":
        house.clock.advance(15 * 60)
    else:
        house.house.identity.end(opened.session_id)
    with pytest.raises(NotSignedIn):
        house.tokens.lookup(PROVIDER, issued.access_token)
    with pytest.raises(PermitEnded):
        house.tokens.require_live(principal)
    with pytest.raises(RefreshRefused):
        house.refresh(issued.refresh_token)


def test_no_code_buys_tokens_of_a_session_that_is_over(house: AppHouse) -> None:
    opened = house.house.sign_in()
    grant = house.grant(house.app(), session_id=opened.session_id)
    code = house.code(grant)
    house.house.identity.end(opened.session_id)
    with pytest.raises(CodeRefused):
        house.redeem(code, grant.client_id)
    assert house.count("app_access_tokens") == 0


def test_use_is_written_down_at_most_once_a_minute(house: AppHouse) -> None:
    issued = house.issued()
    assert issued.grant is not None
    seen = []
    for _ in range(5):
        house.tokens.lookup(PROVIDER, issued.access_token)
        seen.append(house.found(issued.grant).last_used_at)
        house.clock.advance(25)
    start = issued.grant.approved_at
    assert [(at - start).total_seconds() for at in seen if at] == [0, 0, 0, 75, 75]


@pytest.mark.clause("RFC 7662", "2.2")
def test_what_is_told_of_a_token(house: AppHouse) -> None:
    issued = house.issued()
    access = house.tokens.introspect(PROVIDER, issued.access_token)
    refresh = house.tokens.introspect(PROVIDER, issued.refresh_token or "")
    assert access is not None
    assert refresh is not None
    assert (access.kind, access.scope, access.grant, access.family) == ("access", SCOPE, issued.grant, issued.family)
    assert (access.issued_at, access.expires_at) == (house.clock.now(), house.later(seconds=3600))
    assert (refresh.kind, refresh.scope, refresh.client_id) == ("refresh", SCOPE, access.client_id)
    house.refresh(issued.refresh_token)
    assert house.tokens.introspect(PROVIDER, issued.refresh_token or "") is None


def test_a_backend_clients_token_stands_for_no_patient(house: AppHouse) -> None:
    app = house.app("private_key_jwt")
    issued = house.tokens.issue_for_backend(app, "system/ImagingStudy.rs", request_id="req")
    assert (issued.expires_in, issued.refresh_token, issued.family) == (300, None, None)
    with pytest.raises(ScopeMissing):
        house.tokens.lookup(PROVIDER, issued.access_token)
    told = house.tokens.introspect(PROVIDER, issued.access_token)
    assert told is not None
    assert (told.client_id, told.scope, told.grant) == (app.client_id, "system/ImagingStudy.rs", None)
    assert house.kinds() == ["dcr.registered", "token.issued"]
    house.clock.advance(300)
    with pytest.raises(NotSignedIn):
        house.tokens.lookup(PROVIDER, issued.access_token)


@pytest.mark.threat("O36")
@pytest.mark.clause("RFC 7009", "2.1")
@pytest.mark.parametrize("which", ["access", "refresh", "spent"])
def test_a_token_given_back_ends_its_family_everywhere(worker: AppHouse, which: str) -> None:
    one = worker.issued()
    two = worker.refresh(one.refresh_token)
    assert two.family is not None
    raw = {"access": two.access_token, "refresh": two.refresh_token, "spent": one.refresh_token}[which] or ""
    with worker.another() as other:
        principal = other.tokens.lookup(PROVIDER, one.access_token)
        worker.tokens.revoke(PROVIDER, raw, client_id=two.family.client_id, request_id="req")
        for token in (one.access_token, two.access_token):
            with pytest.raises(NotSignedIn):
                other.tokens.lookup(PROVIDER, token)
        with pytest.raises(PermitEnded):
            other.tokens.require_live(principal)
    worker.tokens.revoke(PROVIDER, raw, client_id=two.family.client_id, request_id="req")
    assert worker.kinds().count("oauth.revoke") == 1


@pytest.mark.threat("O36")
def test_nobody_ends_anothers_token(house: AppHouse) -> None:
    issued, other = house.issued(), house.app().client_id
    for raw in (issued.access_token, issued.refresh_token or ""):
        with pytest.raises(TokenOfAnother):
            house.tokens.revoke(PROVIDER, raw, client_id=other, request_id="req")
    assert house.kinds(severity="high") == ["oauth.revoke.client_mismatch"] * 2
    assert house.tokens.lookup(PROVIDER, issued.access_token)
    assert house.refresh(issued.refresh_token)


@pytest.mark.threat("O36")
@pytest.mark.parametrize("raw", ["", "sat_" + "A" * 43, "srt_" + "A" * 43, "\ud800", "x" * 9000])
def test_an_unknown_token_is_nothing_to_end(house: AppHouse, raw: str) -> None:
    house.tokens.revoke(PROVIDER, raw, client_id="app-x", request_id="req")
    assert house.kinds() == []


def test_a_backend_clients_token_can_be_given_back(house: AppHouse) -> None:
    app = house.app("private_key_jwt")
    raw = house.tokens.issue_for_backend(app, "system/ImagingStudy.rs", request_id="req").access_token
    house.tokens.revoke(PROVIDER, raw, client_id=app.client_id, request_id="req")
    assert house.tokens.introspect(PROVIDER, raw) is None
