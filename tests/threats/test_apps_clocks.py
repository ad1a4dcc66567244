"""Two workers whose clocks differ: what counts once counts once, whichever of them is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.authserver.house import AuthHouse
from tests.support.clock import FixedClock

APART = 300
"""Seconds: more than any machine that is looked after."""


@pytest.fixture
def apart(database_url: str, tmp_path: Path) -> Iterator[tuple[AuthHouse, AuthHouse]]:
    """On one database, with the same keys; the second is ahead."""
    late, early = AuthHouse(database_url, tmp_path), AuthHouse(database_url, tmp_path, clock=FixedClock())
    early.clock.advance(APART)
    yield late, early
    late.close()
    early.close()


@pytest.mark.threat("F20")
@pytest.mark.threat("O45")
@pytest.mark.threat("P3")
def test_an_assertion_counts_once_though_a_worker_ahead_thinks_it_long_over(apart: tuple[AuthHouse, AuthHouse]) -> None:
    late, early = apart
    service = late.backend()
    now = int(late.clock.now().timestamp())
    asked = late.asked_by(late.assertion(service.client_id, exp=now + 300))
    assert late.post("token", asked).status_code == 200
    for _ in range(14):
        for house in apart:
            house.clock.advance(30)
        fresh = early.asked_by(early.assertion(service.client_id))
        assert early.post("token", fresh).status_code == 200  # it forgets what it thinks is over
        assert [house.post("token", asked).status_code for house in apart] == [401, 401]
    assert late.kinds().count("client.auth.jti_replay") > 1


@pytest.mark.threat("F20")
@pytest.mark.threat("P3")
def test_a_code_and_a_spent_token_buy_nothing_at_a_worker_behind(apart: tuple[AuthHouse, AuthHouse]) -> None:
    late, early = apart
    app = late.app()
    form = late.form(late.code(late.grant(app)), app)
    said = late.ok(late.post("token", form))
    assert early.post("token", form).status_code == 400
    assert late.post("token", form).status_code == 400
    assert [house.reads(said["access_token"]) for house in apart] == [401, 401]
    other = late.tokens()
    newer = late.ok(late.refresh(other["refresh_token"]))
    assert early.refresh(other["refresh_token"]).status_code == 400  # its ten seconds are over there
    assert [house.refresh(newer["refresh_token"]).status_code for house in apart] == [400, 400]
