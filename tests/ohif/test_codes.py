"""The code that opens OHIF: once, for thirty seconds, for whoever's session made it."""

import threading

import pytest
from sqlalchemy import text

from smartapp.db.unit import Database
from smartapp.errors import NotSignedIn, PermitEnded
from smartapp.identity.model import Principal
from smartapp.security.keyring import Keyring
from smartapp.tokens.ohif import OhifDoor
from tests.access.house import BEN, House
from tests.support.clock import FixedClock

pytestmark = pytest.mark.promise("A3")


@pytest.fixture
def house(database: Database, keyring: Keyring, fixed_clock: FixedClock) -> House:
    return House(database, keyring, fixed_clock)


@pytest.fixture
def who(house: House) -> Principal:
    return house.principal()


def door(house: House) -> OhifDoor:
    return OhifDoor(house.database, house.identity, house.single_use, house.viewer_tokens)


def test_a_code_gives_a_token_for_the_whole_record(house: House, who: Principal) -> None:
    opened = door(house.another()).redeem(door(house).make_code(who, "1.2.3"))
    assert (opened.study_uid, opened.given.principal, opened.given.expires_in) == ("1.2.3", who, 300)
    grant = house.viewer_tokens.lookup(opened.given.token)
    assert (grant.principal, grant.study_uid) == (who, None)
    assert grant.reaches("1.2.3")
    assert grant.reaches("9.9")


def test_a_study_named_by_nothing_or_everything_is_no_whole_record(house: House, who: Principal) -> None:
    token, _ = house.viewer_tokens.issue(who, "")
    assert not house.viewer_tokens.lookup(token).reaches("1.2.3")


def test_it_counts_once(house: House, who: Principal) -> None:
    code = door(house).make_code(who, "1.2.3")
    door(house).redeem(code)
    with pytest.raises(NotSignedIn):
        door(house).redeem(code)


def test_of_many_at_once_one_gets_it(house: House, who: Principal) -> None:
    code = door(house).make_code(who, "1.2.3")
    start, outcomes = threading.Barrier(8), list[str]()

    def attempt() -> None:
        start.wait()
        try:
            outcomes.append(door(house.another()).redeem(code).study_uid)
        except NotSignedIn:
            outcomes.append("refused")

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["1.2.3", *["refused"] * 7]


@pytest.mark.parametrize(("after", "alive"), [(29, True), (30, False), (31, False)])
def test_it_lives_thirty_seconds(house: House, who: Principal, after: int, *, alive: bool) -> None:
    code = door(house).make_code(who, "1.2.3")
    house.clock.advance(after)
    if alive:
        assert door(house).redeem(code).study_uid == "1.2.3"
    else:
        with pytest.raises(NotSignedIn):
            door(house).redeem(code)


@pytest.mark.promise("E3")
def test_it_dies_with_its_session_and_no_session_makes_one_after_its_end(house: House, who: Principal) -> None:
    code = door(house).make_code(who, "1.2.3")
    house.identity.end(who.session_id)
    with pytest.raises(NotSignedIn):
        door(house).redeem(code)
    with pytest.raises(PermitEnded):
        door(house).make_code(who, "1.2.3")


def test_codes_and_launch_values_do_not_mix(house: House, who: Principal) -> None:
    house.single_use.put("launch", "soc_x", 30, b'["a", "b", "c"]')
    with pytest.raises(NotSignedIn):
        door(house).redeem("soc_x")


def test_a_token_is_renewed_while_it_counts(house: House, who: Principal) -> None:
    given = door(house).redeem(door(house).make_code(who, "1.2.3")).given
    house.clock.advance(299)
    following = door(house).renew(given.token)
    assert following.token != given.token
    house.clock.advance(299)
    assert house.viewer_tokens.lookup(following.token).principal == who
    with pytest.raises(NotSignedIn):
        door(house).renew(given.token)


@pytest.mark.promise("E3")
def test_signing_out_ends_renewal_at_once(house: House, who: Principal) -> None:
    given = door(house).redeem(door(house).make_code(who, "1.2.3")).given
    house.identity.end(who.session_id)
    with pytest.raises(NotSignedIn):
        door(house.another()).renew(given.token)


@pytest.mark.threat("W9")
def test_renewing_does_not_keep_a_session_alive(house: House, who: Principal) -> None:
    token = door(house).redeem(door(house).make_code(who, "1.2.3")).given.token
    for _ in range(3):
        house.clock.advance(290)
        token = door(house).renew(token).token
    house.clock.advance(60)
    with pytest.raises(NotSignedIn):
        door(house).renew(token)


def test_a_studys_own_token_gets_no_wider(house: House, who: Principal) -> None:
    token, _ = house.viewer_tokens.issue(who, "1.2.3")
    with pytest.raises(NotSignedIn):
        door(house).renew(token)


def test_two_peoples_codes_do_not_mix(house: House, who: Principal) -> None:
    other = house.principal(BEN)
    first, second = door(house).make_code(who, "1.2.3"), door(house).make_code(other, "1.2.4")
    assert door(house).redeem(second).given.principal == other
    assert door(house).redeem(first).given.principal == who


@pytest.mark.promise("E2")
def test_nothing_of_it_is_readable_in_the_tables(house: House, who: Principal) -> None:
    code = door(house).make_code(who, "1.2.840.113619")
    token = door(house).redeem(door(house).make_code(who, "1.2.3")).given.token
    with house.database.read() as session:
        rows = [
            *session.execute(text("SELECT * FROM single_use")),
            *session.execute(text("SELECT * FROM viewer_tokens")),
        ]
    assert len(rows) == 2
    for secret in (code, code[4:], token, token[4:], "1.2.840.113619", who.session_id + '"'):
        assert secret not in repr([tuple(row) for row in rows])
