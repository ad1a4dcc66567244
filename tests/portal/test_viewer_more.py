"""The viewer's films, waiting, whole screen and paper, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.portal import fakes
from tests.portal.browsers import Opener, canvas_of, opener
from tests.portal.conftest import Portal
from tests.portal.stub_gateway import FRAMES

__all__ = ["opener"]  # a fixture is found by its name in this module

pytestmark = pytest.mark.promise("A3")


WATCH = """canvas => {
  globalThis.seen = [];
  new MutationObserver(() => seen.push(canvas.dataset.slice)).observe(canvas, { attributeFilter: ["data-slice"] });
}"""


def clip(opener: Opener) -> tuple[Page, Locator]:
    page = opener()
    canvas_of(page)
    page.locator(f'[data-series-link="{fakes.CLIP}"]').click()
    return page, canvas_of(page, series=fakes.CLIP, slice="1")


@pytest.mark.clause("PS3.3", "C.7.6.5")
def test_the_frames_of_one_object_play_as_a_film_at_their_own_pace(opener: Opener, live_portal: Portal) -> None:
    page, canvas = clip(opener)
    expect(page.locator("#viewer-position")).to_have_text(f"Picture 1 of {FRAMES}")
    expect(page.locator("[data-rate]")).to_have_text("25 pictures a second")
    canvas.evaluate(WATCH)
    play = page.locator('[data-action="play"]')
    play.click()
    expect(play).to_have_text("Pause")
    page.wait_for_function(
        "() => { const last = seen.indexOf('12'); return last > 0 && seen.indexOf('1', last) > last; }"
    )
    play.click()
    expect(canvas).to_have_attribute("data-playing", "false")
    asked = {path for path, _ in live_portal.gateway.asked if fakes.CLIP in path and path.endswith("/rendered")}
    assert len(asked) == FRAMES


def test_every_frame_is_shown_as_itself(opener: Opener) -> None:
    page, canvas = clip(opener)
    page.locator("#viewer-slider").fill("10")
    canvas_of(page, slice="10")
    middle = "c => [...c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data]"
    assert canvas.evaluate(middle)[:3] == pytest.approx([200, 0, 0], abs=4)


def test_a_film_is_faster_or_slower_as_wanted_and_stops_for_whoever_leafs(opener: Opener) -> None:
    page, canvas = clip(opener)
    page.locator("[data-speed]").select_option("2")
    expect(page.locator("[data-rate]")).to_have_text("50 pictures a second")
    page.locator("[data-speed]").select_option("0.25")
    expect(page.locator("[data-rate]")).to_have_text("6.3 pictures a second")
    canvas.focus()
    page.keyboard.press("Space")
    expect(canvas).to_have_attribute("data-playing", "true")
    page.keyboard.press("End")
    expect(canvas).to_have_attribute("data-playing", "false")
    canvas_of(page, slice=str(FRAMES))


def test_a_single_picture_is_no_film(opener: Opener) -> None:
    page, _ = clip(opener)
    expect(page.locator("[data-film]")).to_be_visible()
    page.locator(f'[data-series-link="{fakes.COLOUR}"]').click()
    canvas_of(page, series=fakes.COLOUR)
    expect(page.locator("[data-film]")).to_be_hidden()


@pytest.mark.clause("PS3.3", "C.7.6.2.1.1")
def test_a_slice_says_where_it_lies(opener: Opener) -> None:
    page = opener()
    canvas_of(page, slice="100")
    expect(page.locator("[data-place]")).to_have_text("S 150.0 mm")
    page.locator(f'[data-series-link="{fakes.XRAY}"]').click()
    canvas_of(page, series=fakes.XRAY)
    expect(page.locator("[data-place]")).to_have_text("")


@pytest.mark.promise("E8")
@pytest.mark.clause("RFC 9110", "10.2.3")
def test_pictures_that_are_away_for_a_moment_are_waited_for_in_sight(opener: Opener, live_portal: Portal) -> None:
    live_portal.gateway.away = 2
    page = opener()
    expect(page.locator("#viewer-message")).to_contain_text("We are waiting and will try again.")
    expect(page.locator("[data-countdown]")).to_have_text(re.compile("Next try in [12] s"))
    canvas_of(page, slice="100")
    expect(page.locator("#viewer-message")).to_be_hidden()
    expect(page.locator("[data-countdown]")).to_have_text("")


def test_waiting_has_an_end_and_a_button(opener: Opener, live_portal: Portal) -> None:
    live_portal.gateway.away = 1000
    page = opener()
    expect(page.locator("#viewer-canvas")).to_have_attribute("data-state", "error", timeout=20_000)
    live_portal.gateway.away = 0
    page.locator('[data-action="retry"]').click()
    canvas_of(page, slice="100")


def test_the_pictures_take_the_whole_screen_and_give_it_back(opener: Opener) -> None:
    page = opener()
    canvas_of(page)
    button = page.locator("[data-full-screen]")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("document.fullscreenElement.id") == "viewer"
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("document.fullscreenElement") is None


def test_where_a_browser_gives_no_whole_screen_the_window_is_filled(opener: Opener) -> None:
    page = opener()
    canvas_of(page)
    page.evaluate("() => { Element.prototype.requestFullscreen = () => Promise.reject(new TypeError()); }")
    page.locator("[data-full-screen]").click()
    expect(page.locator("#viewer")).to_have_attribute("data-filled", "")
    box = page.locator("#viewer").bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 1440, 900)
    page.keyboard.press("Escape")
    expect(page.locator("#viewer")).not_to_have_attribute("data-filled", "")


def test_when_the_script_does_not_come_the_page_says_so(opener: Opener, live_portal: Portal) -> None:
    page = opener("/my/ctx-ana/")

    def lose(route: Route) -> None:
        route.abort()

    page.route("**/viewer/api.js", lose)
    page.goto(f"{live_portal.base_url}/my/ctx-ana/studies/{fakes.CT}")
    expect(page.locator("[data-missing]")).to_be_visible(timeout=10_000)
    expect(page.locator("#viewer")).to_be_hidden()
    page.locator(f'[data-series-link="{fakes.SERIES}"]').click()
    expect(page.locator(".thumbnails img")).to_have_count(60)


def test_paper_holds_the_report_the_picture_and_whose_they_are(opener: Opener) -> None:
    page = opener()
    canvas_of(page)
    expect(page.locator("[data-print]")).to_be_visible()
    page.emulate_media(media="print")
    for shown in (".record", ".conclusion", ".stage canvas", ".stage .top-left", ".print-only"):
        expect(page.locator(shown).first).to_be_visible()
    for left_out in (".site-nav", ".sign-out", "[data-print]", ".tools", ".leaf", ".series"):
        expect(page.locator(left_out).first).to_be_hidden()
    expect(page.locator(".print-only")).to_contain_text("by Dana Novak")
