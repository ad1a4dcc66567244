"""The viewer's token: one study, five minutes, and not a moment longer than its session."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from smartapp.errors import NotSignedIn, PermitEnded
from smartapp.identity.model import Principal
from tests.access.house import BEN, House


@pytest.fixture
def who(house: House) -> Principal:
    return house.principal()


@pytest.mark.promise("A3")
def test_it_stands_for_who_asked_and_one_study(house: House, who: Principal) -> None:
    raw, seconds = house.viewer_tokens.issue(who, "1.2.3")
    grant = house.another().viewer_tokens.lookup(raw)
    assert seconds == 300
    assert raw.startswith("svt_")
    assert (grant.principal, grant.study_uid) == (who, "1.2.3")


@pytest.mark.promise("A3")
@pytest.mark.parametrize(("after", "alive"), [(299, True), (300, False), (86400, False)])
def test_it_lives_five_minutes(house: House, who: Principal, after: int, *, alive: bool) -> None:
    raw, _ = house.viewer_tokens.issue(who, "1.2.3")
    house.clock.advance(after)
    if alive:
        assert house.viewer_tokens.lookup(raw).study_uid == "1.2.3"
    else:
        with pytest.raises(NotSignedIn):
            house.viewer_tokens.lookup(raw)


@pytest.mark.promise("E3")
def test_it_dies_with_its_session_at_once_in_every_worker(house: House, who: Principal) -> None:
    raw, _ = house.viewer_tokens.issue(who, "1.2.3")
    worker = house.another()
    assert worker.viewer_tokens.lookup(raw).study_uid == "1.2.3"
    house.identity.end(who.session_id)
    with pytest.raises(NotSignedIn):
        worker.viewer_tokens.lookup(raw)
    with pytest.raises(PermitEnded):
        worker.viewer_tokens.issue(who, "1.2.3")


@pytest.mark.threat("W9")
def test_using_it_does_not_keep_the_session_alive(house: House, who: Principal) -> None:
    house.clock.advance(timedelta(minutes=14).total_seconds())
    raw, _ = house.viewer_tokens.issue(who, "1.2.3")
    assert house.viewer_tokens.lookup(raw).study_uid == "1.2.3"
    house.clock.advance(60)
    with pytest.raises(NotSignedIn):
        house.viewer_tokens.lookup(raw)


@pytest.mark.parametrize("raw", ["", "svt_", "svt_" + "A" * 43, "sas_x", "\x00", "é" * 9000])
def test_any_other_text_is_no_token(house: House, who: Principal, raw: str) -> None:
    issued, _ = house.viewer_tokens.issue(who, "1.2.3")
    for wrong in (raw, issued + raw + "A", issued[:-1]):
        with pytest.raises(NotSignedIn):
            house.viewer_tokens.lookup(wrong)


def test_two_tokens_do_not_mix(house: House, who: Principal) -> None:
    other = house.principal(BEN)
    first, _ = house.viewer_tokens.issue(who, "1.2.3")
    second, _ = house.viewer_tokens.issue(other, "1.2.4")
    assert house.viewer_tokens.lookup(first).principal == who
    assert house.viewer_tokens.lookup(second).principal == other


@pytest.mark.promise("E2")
def test_neither_token_nor_study_is_readable_in_the_table(house: House, who: Principal) -> None:
    raw, _ = house.viewer_tokens.issue(who, "1.2.840.113619")
    with house.database.read() as session:
        (row,) = session.execute(text("SELECT * FROM viewer_tokens")).all()
    for secret in (raw, raw[4:], "1.2.840.113619"):
        assert secret not in repr(tuple(row))


def test_those_that_are_over_are_cleared_away(house: House, who: Principal) -> None:
    house.viewer_tokens.issue(who, "1.2.3")
    house.clock.advance(300)
    house.viewer_tokens.issue(who, "1.2.3")
    with house.database.read() as session:
        assert session.execute(text("SELECT count(*) FROM viewer_tokens")).scalar() == 1
