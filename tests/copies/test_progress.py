"""How far a copy is, as its page says it: with a script that asks, and after a reload without one."""

from typing import Any

import pytest
from werkzeug.wrappers import Response

from smartapp.dicomweb.core.cache import InstanceCache
from smartapp.errors import DatabaseBusy
from smartapp.exchange.copies import progress
from smartapp.exchange.copies.progress import Board, Progress
from tests.copies.shop import Shop
from tests.dicomweb_upstream.archive import Reply

PAGE, TAKE, ASK = "/studies/1.2.3/keep", "/studies/1.2.3/copy", "/studies/1.2.3/copy/progress"

pytestmark = pytest.mark.promise("A4")


@pytest.fixture(autouse=True)
def told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_EVERY", 0.0)


def asked(shop: Shop, path: str = ASK) -> dict[str, Any]:
    answer = shop.page(path)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def pulled(response: Response, shop: Shop) -> list[dict[str, Any]]:
    """The answer, taken piece by piece; what the page was told after each."""
    return [asked(shop) for _ in response.iter_encoded()]


def test_it_grows_with_what_is_sent_and_is_whole_only_at_the_end(shop: Shop) -> None:
    with shop.press(TAKE) as response:
        said = pulled(response, shop)
    percents = [each["percent"] for each in said]
    assert percents == sorted(percents)
    assert percents[0] < 50
    assert max(percents) == 99  # all pictures are in it, and the ZIP has no end yet
    assert all(each["running"] for each in said)
    assert asked(shop) | {"begun": 0, "text": ""} == {"begun": 0, "running": False, "percent": 100, "text": ""}


def test_without_script_the_page_says_it_at_each_reload(shop: Shop) -> None:
    assert "pictures (" not in shop.page(PAGE).text
    with shop.press(TAKE) as response:
        pieces = response.iter_encoded()
        next(pieces)
        page = shop.page(PAGE).text
        assert "0 of 3 pictures (0%), less than 1 MB so far." in page
        assert "Reload this page" in page
        assert "0 de 3 imágenes (0" in shop.page(PAGE, **{"Accept-Language": "es"}).text
        for _ in pieces:
            pass
    page = shop.page(PAGE).text
    assert "The copy was sent to its end: less than 1 MB." in page
    assert "Reload this page" not in page


def test_one_that_breaks_off_says_so(shop: Shop) -> None:
    with shop.press(TAKE) as response:
        next(response.iter_encoded())
    assert asked(shop)["running"] is False
    assert "broke off" in asked(shop)["text"]
    assert "broke off" in shop.page(PAGE).text


def test_one_of_which_nothing_is_heard_is_not_said_to_run(shop: Shop) -> None:
    with shop.press(TAKE) as response:
        pieces = response.iter_encoded()
        next(pieces)
        shop.desk.house.clock.advance(121)
        assert asked(shop)["running"] is False
        assert "Nothing was sent for some minutes" in asked(shop)["text"]
        next(pieces)
        assert asked(shop)["running"] is True


def test_what_became_of_one_is_not_said_for_ever(shop: Shop) -> None:
    assert shop.press(TAKE).data
    shop.desk.house.clock.advance(800)
    shop.page(PAGE)
    shop.desk.house.clock.advance(101)
    assert shop.page(ASK).status_code == 204


def test_several_are_told_of_on_the_lists_page_and_on_no_other(shop: Shop) -> None:
    assert shop.press("/copy", study=["1.2.3"]).data
    assert asked(shop, "/copy/progress")["percent"] == 100
    assert shop.page(ASK).status_code == 204
    assert "The copy was sent to its end" in shop.page("/keep").text


def test_another_browser_of_the_same_person_is_told_nothing(shop: Shop) -> None:
    assert shop.press(TAKE).data
    other = Shop(shop.desk)
    assert other.page(ASK).status_code == 204
    assert asked(shop)["percent"] == 100


def test_to_ask_is_nobodys_activity(shop: Shop) -> None:
    shop.page(PAGE)
    for _ in range(4):
        shop.desk.house.clock.advance(300)
        last = shop.page(ASK)
    assert last.status_code == 401


def test_a_copy_without_pictures_has_no_percentage() -> None:
    told = Progress("running", 0.0, 0, 0, 5_000_000)
    assert told.percent is None


@pytest.mark.parametrize(
    ("state", "pictures", "percent"),
    [("running", 0, 0), ("running", 1, 0), ("running", 599, 99), ("running", 600, 99), ("complete", 600, 100)],
)
def test_the_percentage_is_never_ahead(state: Any, pictures: int, percent: int) -> None:
    assert Progress(state, 0.0, pictures, 600, 1).percent == percent


def test_a_copy_does_not_fail_because_it_cannot_be_told_of(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_args: object) -> None:
        raise DatabaseBusy

    monkeypatch.setattr(InstanceCache, "put_blob", busy)
    meter = Board(shop.desk.cache, shop.desk.house.clock).begin(shop.desk.principal(), "", 1)
    meter.passed(1, 10)
    meter.ended(complete=True)


def test_an_archive_that_fails_at_once_leaves_no_copy_running(shop: Shop) -> None:
    shop.desk.archive.script = lambda asked: Reply(503) if asked.path.endswith("/series/1.2.3.1") else None
    assert shop.press(TAKE).status_code in {502, 503}
    assert asked(shop)["running"] is False
