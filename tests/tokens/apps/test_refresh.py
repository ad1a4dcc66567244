"""A family is a line: one successor each, a retry within ten seconds, and death for whoever shows an old one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartapp.consent.grants.model import Terms
from smartapp.consent.scopes.grammar import parse
from smartapp.errors import BadInput, NotSignedIn, RefreshRefused
from smartapp.identity.apps.model import AppState
from smartapp.tokens.apps.model import Issued
from tests.tokens.apps.house import OTHER, PROVIDER, READ, SCOPE, AppHouse


def refusal(house: AppHouse, token: str | None, client_id: str | None = None, provider: str = PROVIDER) -> str:
    with pytest.raises(RefreshRefused) as refused:
        house.refresh(token, client_id, provider)
    return refused.value.code


def alive(house: AppHouse, issued: Issued) -> bool:
    try:
        return house.tokens.lookup(PROVIDER, issued.access_token) is not None
    except NotSignedIn:
        return False


@pytest.mark.promise("B1")
@pytest.mark.clause("RFC 6749", "6")
def test_each_refresh_gives_the_next_token(worker: AppHouse) -> None:
    one = worker.issued()
    two = worker.refresh(one.refresh_token)
    three = worker.refresh(two.refresh_token)
    assert len({one.refresh_token, two.refresh_token, three.refresh_token}) == 3
    assert len({one.access_token, two.access_token, three.access_token}) == 3
    assert three.family is not None
    assert (three.family.number, three.family.nonce, three.scope, three.expires_in) == (2, "n-1", SCOPE, 3600)
    assert all(alive(worker, each) for each in (one, two, three))


@pytest.mark.threat("O26")
@pytest.mark.clause("RFC 9700", "4.14.2")
def test_an_old_token_kills_its_family_and_the_patient_can_read_so(worker: AppHouse) -> None:
    one = worker.issued()
    two = worker.refresh(one.refresh_token)
    worker.clock.advance(10.1)
    assert refusal(worker, one.refresh_token) == "oauth.refresh.reuse"
    assert not alive(worker, one)
    assert not alive(worker, two)
    assert refusal(worker, two.refresh_token) == "oauth.refresh.dead_grant"
    assert worker.kinds(severity="high") == ["oauth.refresh.reuse"]
    assert one.grant is not None
    assert worker.history(one.grant.id) == ["approved", "tokens-stopped"]


@pytest.mark.threat("O26")
def test_the_one_before_the_last_kills_at_once(house: AppHouse) -> None:
    one = house.issued()
    two = house.refresh(one.refresh_token)
    three = house.refresh(two.refresh_token)
    assert refusal(house, one.refresh_token) == "oauth.refresh.reuse"
    assert not alive(house, three)


@pytest.mark.threat("O27")
@pytest.mark.parametrize("after", [0, 5, 10])
def test_a_retry_within_ten_seconds_gets_the_same_successor(house: AppHouse, after: float) -> None:
    one = house.issued()
    two = house.refresh(one.refresh_token)
    house.clock.advance(after)
    again = house.refresh(one.refresh_token)
    assert again.refresh_token == two.refresh_token
    assert again.access_token != two.access_token
    assert again.family == two.family
    assert house.count("app_refresh_tokens") == 2
    assert house.kinds().count("oauth.refresh.race") == 1
    assert house.refresh(two.refresh_token).family is not None
    assert house.kinds().count("oauth.refresh.race") == 1


def test_other_families_of_the_grant_go_on(house: AppHouse) -> None:
    grant = house.grant(house.app())
    one = house.redeem(house.code(grant), grant.client_id)
    other = house.redeem(house.code(grant), grant.client_id)
    house.refresh(one.refresh_token)
    house.clock.advance(11)
    assert refusal(house, one.refresh_token) == "oauth.refresh.reuse"
    assert alive(house, house.refresh(other.refresh_token))


@pytest.mark.parametrize("wrong", ["", "srt_", "srt_" + "A" * 43, "x" * 9000, "\ud800", "\0"])
def test_an_unknown_token_is_refused(house: AppHouse, wrong: str) -> None:
    assert refusal(house, wrong) == "oauth.refresh.unknown"


def test_an_access_token_or_another_hospital_refreshes_nothing(house: AppHouse) -> None:
    issued = house.issued()
    assert refusal(house, issued.access_token) == "oauth.refresh.unknown"
    assert refusal(house, issued.refresh_token, provider=OTHER) == "oauth.refresh.unknown"
    assert house.refresh(issued.refresh_token)


@pytest.mark.threat("O31")
def test_another_client_is_refused_and_changes_nothing(house: AppHouse) -> None:
    issued = house.issued()
    assert refusal(house, issued.refresh_token, house.app().client_id) == "oauth.refresh.client_mismatch"
    assert house.kinds(severity="high") == ["oauth.refresh.client_mismatch"]
    assert house.refresh(issued.refresh_token)


@pytest.mark.threat("O31")
@pytest.mark.parametrize("method", ["client_secret_basic", "private_key_jwt"])
def test_only_a_public_client_need_not_say_who_it_is(house: AppHouse, method: str) -> None:
    issued = house.issued(app=house.app(method))  # type: ignore[arg-type]  # both are methods
    assert issued.family is not None
    assert refusal(house, issued.refresh_token) == "oauth.refresh.client_mismatch"
    assert house.refresh(issued.refresh_token, issued.family.client_id)


@pytest.mark.threat("O32")
@pytest.mark.parametrize("state", [AppState.PENDING, AppState.REFUSED, AppState.SUSPENDED])
def test_an_app_that_may_not_act_refreshes_nothing_until_it_may(house: AppHouse, state: AppState) -> None:
    issued = house.issued()
    assert issued.family is not None
    house.apps.decide(PROVIDER, issued.family.client_id, state, ground="unsafe", by="op")
    assert refusal(house, issued.refresh_token) == "oauth.refresh.dead_grant"
    assert not alive(house, issued)
    house.apps.decide(PROVIDER, issued.family.client_id, AppState.ACTIVE, ground="", by="op")
    assert alive(house, house.refresh(issued.refresh_token))


@pytest.mark.threat("O32")
def test_a_deleted_app_refreshes_nothing(house: AppHouse) -> None:
    app = house.app()
    issued = house.issued(app=app)
    house.apps.delete(app)
    assert refusal(house, issued.refresh_token) == "oauth.refresh.dead_grant"
    assert not alive(house, issued)


@pytest.mark.threat("O32")
@pytest.mark.parametrize("granted_days", [None, 10])
def test_no_refreshing_outlives_the_family_or_the_grant(house: AppHouse, granted_days: int | None) -> None:
    house.limits = type(house.limits)(refresh_lifetime=20 * 86400)
    ends = house.later(days=granted_days) if granted_days else None
    issued = house.issued(terms=Terms(scopes=parse(SCOPE), expires_at=ends))
    last = house.later(days=granted_days or 20)
    while house.later(days=1) < last:
        house.clock.advance(86400)
        issued = house.refresh(issued.refresh_token)
        assert issued.family is not None
        assert issued.family.expires_at == last
    house.clock.advance(86400 - 1800)
    issued = house.refresh(issued.refresh_token)
    assert issued.expires_in == 1800
    house.clock.advance(1800)
    assert refusal(house, issued.refresh_token) == "oauth.refresh.dead_grant"
    assert not alive(house, issued)


def narrowing(house: AppHouse, token: str | None, narrow: Callable[[str], str]) -> Issued:
    return house.tokens.refresh(PROVIDER, token or "", client_id=None, narrow=narrow, request_id="")


@pytest.mark.threat("O30")
def test_a_narrower_scope_is_the_access_tokens_and_the_grant_stays_on_offer(house: AppHouse) -> None:
    one = house.issued()
    two = narrowing(house, one.refresh_token, lambda _: READ)
    assert two.scope == READ
    assert house.tokens.lookup(PROVIDER, two.access_token).scopes == parse(READ)
    offered: list[str] = []

    def take_all(granted: str) -> str:
        offered.append(granted)
        return granted

    narrowing(house, two.refresh_token, take_all)
    assert offered == [SCOPE]


@pytest.mark.threat("O29")
def test_a_refused_scope_consumes_nothing(house: AppHouse) -> None:
    def refuse(_: str) -> str:
        raise BadInput("oauth.refresh.escalate")

    one = house.issued()
    with pytest.raises(BadInput):
        narrowing(house, one.refresh_token, refuse)
    two = house.refresh(one.refresh_token)
    assert two.family is not None
    assert two.family.number == 1


@pytest.mark.promise("B3")
def test_what_the_patient_took_back_is_no_longer_on_offer(house: AppHouse) -> None:
    one = house.issued()
    assert one.grant is not None
    narrower = replace(
        one.grant, version=2, terms=replace(one.grant.terms, modalities=frozenset({"CT"}), reports=False)
    )
    with house.database.write() as session:
        house.grants.put(session, narrower, kind="changed", by="patient")
    two = house.refresh(one.refresh_token)
    assert two.scope == f"launch/patient openid offline_access {READ}?modality=CT"
    assert house.tokens.lookup(PROVIDER, one.access_token).terms == narrower.terms


def test_with_images_without_names_scopes_name_aliases(house: AppHouse) -> None:
    terms = Terms(scopes=parse(SCOPE), chosen=frozenset({"1.2.3"}), images="deidentified")
    issued = house.issued(terms=terms)
    assert issued.grant is not None
    shown = house.tokens.shown(issued.grant)("1.2.3")
    principal = house.tokens.lookup(PROVIDER, issued.access_token)
    assert f"identifier=urn:oid:{shown}" in issued.scope
    assert shown.startswith("2.25.")
    assert "1.2.3" not in issued.scope
    assert principal.alias_key is not None


@pytest.mark.threat("O27")
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from([0, 3, 8, 11])), min_size=1, max_size=8))
def test_a_family_is_a_path_whatever_is_shown_in_whatever_order(house: AppHouse, shown: list[tuple[int, int]]) -> None:
    """Property 4, against a model: a number, the time of the last rotation, and whether it lives."""
    issued = house.issued()
    assert issued.family is not None
    ends, tokens, lives, rotated = issued.family.expires_at, [issued.refresh_token], True, house.clock.now()
    made = [issued]
    for back, wait in shown:
        house.clock.advance(wait)
        place = max(0, len(tokens) - 1 - back)
        newest, now = place == len(tokens) - 1, house.clock.now()
        retry = place == len(tokens) - 2 and now - rotated <= timedelta(seconds=10)
        if not lives or not (newest or retry):
            lives = False
            assert refusal(house, tokens[place]) in {"oauth.refresh.reuse", "oauth.refresh.dead_grant"}
            continue
        got = house.refresh(tokens[place])
        made.append(got)
        assert got.family is not None
        assert got.family.expires_at == ends
        if newest:
            assert got.refresh_token not in tokens
            tokens, rotated = [*tokens, got.refresh_token], now
        assert (got.refresh_token, got.family.number) == (tokens[-1], len(tokens) - 1)
    assert [alive(house, each) for each in made] == [lives] * len(made)
