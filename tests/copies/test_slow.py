"""A copy that takes longer than a session may be idle."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta

import pytest

from smartapp.errors import DatabaseBusy, PermitEnded
from tests.copies.shop import Shop

PAGE, TAKE = "/studies/1.2.3/keep", "/studies/1.2.3/copy"
LATER = timedelta(minutes=10)
"""Between two pieces: two of them are more than the idle limit."""

pytestmark = [pytest.mark.promise("A4"), pytest.mark.promise("E3")]


def test_it_comes_to_its_end_and_the_session_with_it_is_idle_only_then(shop: Shop) -> None:
    clock = shop.desk.house.clock
    with shop.press(TAKE) as response:
        pieces = []
        for piece in response.iter_encoded():
            pieces.append(piece)
            if len(pieces) <= 4:
                clock.advance(LATER.total_seconds())
    assert zipfile.ZipFile(io.BytesIO(b"".join(pieces))).testzip() is None
    clock.advance(14 * 60)
    assert shop.page(PAGE).status_code == 200
    clock.advance(16 * 60)
    assert shop.page(PAGE).status_code == 401


@pytest.mark.threat("A21")
def test_whoever_signs_out_everywhere_ends_it(shop: Shop) -> None:
    house = shop.desk.house
    with shop.press(TAKE) as response:
        pieces = response.iter_encoded()
        next(pieces)
        house.identity.end_all(house.browser(shop.opened).person_id)
        house.clock.advance(60)
        with pytest.raises(PermitEnded):
            list(pieces)
    assert shop.page(PAGE).status_code == 401


def test_one_that_rested_longer_than_the_limit_wakes_no_session(shop: Shop) -> None:
    with shop.press(TAKE) as response:
        pieces = response.iter_encoded()
        next(pieces)
        shop.desk.house.clock.advance(16 * 60)
        with pytest.raises(PermitEnded):
            list(pieces)
    assert shop.page(PAGE).status_code == 401


@pytest.mark.promise("E8")
def test_a_database_that_is_busy_breaks_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def busy(session_id: str) -> None:
        asked.append(session_id)
        raise DatabaseBusy

    with shop.press(TAKE) as response:
        pieces = response.iter_encoded()
        taken = [next(pieces)]
        monkeypatch.setattr(shop.desk.house.identity, "in_use", busy)
        shop.desk.house.clock.advance(60)
        taken += pieces
    assert zipfile.ZipFile(io.BytesIO(b"".join(taken))).testzip() is None
    assert len(asked) > 1
