"""Each state of a grant, and each thing that can be done with a token (decision 1)."""

import pytest

from smartapp.consent.grants.model import LIVING, GrantState, Terms
from smartapp.consent.scopes.grammar import parse
from smartapp.errors import CodeRefused, GrantHeld, NotSignedIn, PermitEnded, RefreshRefused
from tests.tokens.apps.house import PROVIDER, SCOPE, AppHouse

HELD = sorted(LIVING - {GrantState.ACTIVE})
OVER = sorted(set(GrantState) - LIVING)


def put(house: AppHouse, grant_id: str, state: GrantState) -> None:
    if state is GrantState.EXPIRED:
        house.clock.advance(60)
        return
    with house.database.write() as session:
        house.grants.set_state(session, grant_id, state, kind=state.value, by="patient")


@pytest.fixture
def terms(house: AppHouse) -> Terms:
    """They end in a minute: `put` can so make any grant an expired one, without anybody writing it down."""
    return Terms(scopes=parse(SCOPE), expires_at=house.later(seconds=60))


def test_every_state_is_tried() -> None:
    assert {GrantState.ACTIVE, *HELD, *OVER} == set(GrantState)
    assert OVER == ["ended", "expired", "suspended"]


@pytest.mark.promise("B4")
@pytest.mark.parametrize("state", HELD)
def test_while_held_nothing_is_served_and_refresh_works(house: AppHouse, terms: Terms, state: GrantState) -> None:
    grant = house.grant(house.app(), terms=terms)
    issued, code = house.redeem(house.code(grant), grant.client_id), house.code(grant)
    principal = house.tokens.lookup(PROVIDER, issued.access_token)
    put(house, grant.id, state)
    with pytest.raises(GrantHeld) as held:
        house.tokens.lookup(PROVIDER, issued.access_token)
    assert held.value.state == state
    with pytest.raises(PermitEnded):
        house.tokens.require_live(principal)
    assert house.tokens.introspect(PROVIDER, issued.access_token) is None
    assert house.tokens.introspect(PROVIDER, issued.refresh_token or "") is not None
    assert house.redeem(code, grant.client_id)
    again = house.refresh(issued.refresh_token)
    with pytest.raises(GrantHeld):
        house.tokens.lookup(PROVIDER, again.access_token)
    put(house, grant.id, GrantState.ACTIVE)
    assert house.tokens.lookup(PROVIDER, again.access_token)
    house.tokens.require_live(principal)


@pytest.mark.promise("B4", "B5")
@pytest.mark.threat("O32")
@pytest.mark.parametrize("state", OVER)
def test_when_over_everything_is_dead_on_every_worker(house: AppHouse, terms: Terms, state: GrantState) -> None:
    grant = house.grant(house.app(), terms=terms)
    issued, code = house.redeem(house.code(grant), grant.client_id), house.code(grant)
    with house.another() as other:
        principal = other.tokens.lookup(PROVIDER, issued.access_token)
        put(house, grant.id, state)
        with pytest.raises(NotSignedIn):
            other.tokens.lookup(PROVIDER, issued.access_token)
        with pytest.raises(PermitEnded):
            other.tokens.require_live(principal)
        assert other.tokens.introspect(PROVIDER, issued.access_token) is None
        assert other.tokens.introspect(PROVIDER, issued.refresh_token or "") is None
        with pytest.raises(CodeRefused):
            other.redeem(code, grant.client_id)
        with pytest.raises(RefreshRefused):
            other.refresh(issued.refresh_token)
    # Nothing was added; what ended for good is forgotten once it was shown.
    assert house.count("app_access_tokens") == (0 if state is GrantState.ENDED else 1)


@pytest.mark.parametrize("state", [GrantState.ENDED, GrantState.EXPIRED])
def test_what_is_over_stays_over(house: AppHouse, state: GrantState) -> None:
    grant = house.grant(house.app())
    house.move(grant, state)
    for back in GrantState:
        with house.database.write() as session:
            assert not house.grants.set_state(session, grant.id, back, kind="resumed", by="patient")
    assert house.found(grant).state is state
    assert house.history(grant.id) == ["approved", state.value]


def test_a_suspension_can_be_lifted(house: AppHouse) -> None:
    issued = house.issued()
    assert issued.grant is not None
    house.move(issued.grant, GrantState.SUSPENDED)
    house.move(issued.grant, GrantState.ACTIVE)
    assert house.tokens.lookup(PROVIDER, issued.access_token)


def test_a_dead_token_is_refused_also_while_that_cannot_be_written_down(house: AppHouse) -> None:
    grant = house.grant(house.app())
    issued = house.redeem(house.code(grant), grant.client_id)
    put(house, grant.id, GrantState.ENDED)
    with house.database.write() as session:  # holds SQLite's only lock for writing
        session.connection()
        hasty = AppHouse(house.url, house.keyring, house.clock, patience=0.1)
        with pytest.raises(NotSignedIn):
            hasty.tokens.lookup(PROVIDER, issued.access_token)
        hasty.close()
    assert house.count("app_access_tokens") == 1
    with pytest.raises(NotSignedIn):
        house.tokens.lookup(PROVIDER, issued.access_token)
    assert house.count("app_access_tokens") == 0
