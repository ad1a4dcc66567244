"""The viewer in a real browser, against a server of made-up series: what is on the screen, pixel by pixel."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.portal import fakes
from tests.portal.browsers import STUDY, Opener, canvas_of, opener
from tests.portal.conftest import Portal
from tests.portal.stub_gateway import HOUNSFIELD, RAW

PRESETS = {"lung": (-600, 1500), "bone": (480, 2500), "soft": (50, 400), "brain": (40, 80)}
PIXEL = """(canvas, [x, y]) => {
  const scale = canvas.width / canvas.clientWidth;
  return [...canvas.getContext('2d').getImageData(x * scale, y * scale, 1, 1).data];
}"""

__all__ = ["opener"]  # a fixture is found by its name in this module

pytestmark = pytest.mark.promise("A3")


def greys(canvas: Locator) -> list[int]:
    """The grey in the middle of each quarter of the picture, in reading order."""
    box = canvas.evaluate("canvas => [canvas.clientWidth, canvas.clientHeight]")
    side = min(box)
    found = []
    for down in (-1, 1):
        for right in (-1, 1):
            x, y = box[0] / 2 + right * side / 4, box[1] / 2 + down * side / 4
            red, green, blue, opaque = canvas.evaluate(PIXEL, [x, y])
            assert red == green == blue
            assert opaque == 255
            found.append(red)
    return found


def expected(window: tuple[float, float]) -> list[int]:
    """PS3.3 §C.11.2.1.2.1, written out once more."""
    centre, width = window
    return [round(255 * min(1, max(0, (hu - (centre - 0.5)) / (width - 1) + 0.5))) for hu in HOUNSFIELD]


@pytest.mark.clause("PS3.3", "C.11.2.1.2")
def test_each_preset_shows_what_the_standard_computes(opener: Opener) -> None:
    page = opener()
    canvas = canvas_of(page, window="40,400")
    assert greys(canvas) == pytest.approx(expected((40, 400)), abs=1)
    for name, window in PRESETS.items():
        button = page.locator(f'[data-preset="{name}"]')
        button.click()
        expect(canvas).to_have_attribute("data-window", f"{window[0]},{window[1]}")
        expect(button).to_have_attribute("aria-pressed", "true")
        assert greys(canvas) == pytest.approx(expected(window), abs=1), name
    page.locator('[data-action="reset"]').click()
    expect(canvas).to_have_attribute("data-window", "40,400")


def test_what_is_shown_is_said_at_the_edge_of_the_picture(opener: Opener) -> None:
    page = opener()
    canvas = canvas_of(page, window="40,400")
    said = page.locator(".stage .bottom-right")
    expect(said).to_have_text("Window 40 / 400")
    expect(canvas).to_have_text("")
    page.locator('[data-preset="lung"]').click()
    expect(said).to_have_text("Window -600 / 1500")
    expect(said).to_be_visible()


def test_the_presets_differ_where_they_should() -> None:
    lung, bone = expected(PRESETS["lung"]), expected(PRESETS["bone"])
    assert lung[1] == 128
    assert bone[3] == 128
    assert lung != bone


def test_all_two_hundred_slices_can_be_scrolled_through(opener: Opener, live_portal: Portal) -> None:
    page = opener()
    canvas = canvas_of(page, slice="100")
    canvas.click()
    page.keyboard.press("Home")
    canvas_of(page, slice="1")
    for slice_number in range(2, fakes.SLICES + 1):
        page.keyboard.press("ArrowDown")
        expect(canvas).to_have_attribute("data-slice", str(slice_number))
    page.keyboard.press("ArrowDown")
    expect(page.locator("#viewer-position")).to_have_text("Picture 200 of 200")
    asked = [path for path, _ in live_portal.gateway.asked if "/frames/" in path]
    assert len(asked) == len(set(asked)) == fakes.SLICES


def test_until_somebody_scrolls_only_the_neighbours_are_fetched(opener: Opener, live_portal: Portal) -> None:
    page = opener()
    canvas = canvas_of(page)

    def fetched() -> set[int]:
        paths = [path for path, _ in live_portal.gateway.asked if "/frames/" in path]
        return {int(path.split("/")[-3].rpartition(".")[2]) for path in paths}

    expect(page.locator("#viewer-progress")).to_be_hidden()
    assert fetched() == set(range(76, 125))
    canvas.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#viewer-progress")).to_be_visible()
    expect(page.locator("#viewer-progress")).to_be_hidden()
    assert fetched() == set(range(1, 201))


@pytest.mark.parametrize(
    ("key", "slice_number"),
    [("ArrowUp", 99), ("ArrowRight", 101), ("PageDown", 110), ("PageUp", 90), ("End", 200), ("Home", 1)],
)
def test_keys_move_through_the_series(opener: Opener, key: str, slice_number: int) -> None:
    page = opener()
    canvas_of(page).focus()
    page.keyboard.press(key)
    canvas_of(page, slice=str(slice_number))


def test_number_keys_choose_presets_and_signs_change_the_size(opener: Opener) -> None:
    page = opener()
    canvas = canvas_of(page)
    canvas.focus()
    for key, name in zip("1234", PRESETS, strict=True):
        page.keyboard.press(key)
        expect(canvas).to_have_attribute("data-window", "{},{}".format(*PRESETS[name]))
    page.keyboard.press("5")
    expect(canvas).to_have_attribute("data-window", "40,400")
    page.keyboard.press("+")
    expect(canvas).to_have_attribute("data-zoom", "1.25")
    page.keyboard.press("-")
    expect(canvas).to_have_attribute("data-zoom", "1.00")


@pytest.mark.clause("WCAG 2.2", "2.1.4")
def test_keys_belong_to_the_page_until_the_picture_has_the_focus(opener: Opener) -> None:
    page = opener()
    canvas_of(page, slice="100")
    page.locator(".back a").focus()
    page.keyboard.press("1")
    page.keyboard.press("ArrowDown")
    canvas_of(page, slice="100", window="40,400")


def test_the_wheel_scrolls_and_with_ctrl_enlarges(opener: Opener) -> None:
    page = opener()
    canvas = canvas_of(page, slice="100")
    canvas.hover()
    page.mouse.wheel(0, 100)
    canvas_of(page, slice="101")
    page.mouse.wheel(0, -100)
    canvas_of(page, slice="100")
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    expect(canvas).not_to_have_attribute("data-zoom", "1.00")
    canvas_of(page, slice="100")


def _drag(page: Page, canvas: Locator, dx: float, dy: float) -> None:
    canvas.hover()
    box = canvas.bounding_box()
    assert box is not None
    x, y = round(box["x"] + box["width"] / 2), round(box["y"] + box["height"] / 2)  # whole pixels: the sums are exact
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=4)
    page.mouse.up()


def test_dragging_changes_brightness_and_contrast(opener: Opener) -> None:
    page = opener()
    canvas = canvas_of(page, window="40,400")
    before = greys(canvas)
    _drag(page, canvas, 0, -64)
    expect(canvas).to_have_attribute("data-window", "-60,400")
    assert greys(canvas)[2] > before[2]
    _drag(page, canvas, 64, 0)
    expect(canvas).not_to_have_attribute("data-window", "-60,400")
    expect(page.locator('[data-preset][aria-pressed="true"]')).to_have_count(0)


def test_an_enlarged_picture_can_be_moved(opener: Opener) -> None:
    page = opener()
    canvas = canvas_of(page)
    page.locator('[data-preset="lung"]').click()
    middle = greys(canvas)
    for _ in range(4):
        page.locator('[data-action="zoom-in"]').click()
    page.locator('[data-mode="pan"]').click()
    _drag(page, canvas, 200, 200)
    assert greys(canvas)[0] == middle[0]
    assert greys(canvas)[3] != middle[3]


@pytest.mark.clause("WCAG 2.2", "2.5.7")
def test_everything_that_a_drag_does_a_button_does_too(opener: Opener) -> None:
    page = opener()
    canvas = canvas_of(page, window="40,400")
    page.locator("#viewer details summary").click()
    page.locator('[data-action="brighter"]').click()
    expect(canvas).to_have_attribute("data-window", "2.5,400")
    page.locator('[data-action="more-contrast"]').click()
    expect(canvas).to_have_attribute("data-window", "2.5,362.5")
    page.locator('[data-action="next"]').click()
    canvas_of(page, slice="101")
    page.locator("#viewer-slider").fill("7")
    canvas_of(page, slice="7")


@pytest.mark.clause("PS3.3", "C.7.6.2.1.1")
def test_the_edges_say_how_the_picture_lies_and_the_bar_how_large(opener: Opener) -> None:
    page = opener()
    canvas = canvas_of(page, orientation="R,L,A,P")
    expect(page.locator('[data-edge="left"]')).to_have_text("R")
    bar = page.locator("[data-scale-bar]")
    length = bar.locator("span").inner_text()
    side = min(canvas.evaluate("canvas => [canvas.clientWidth, canvas.clientHeight]"))
    millimetres = {"10 cm": 100, "5 cm": 50, "2 cm": 20}[length]
    box = bar.bounding_box()
    assert box is not None
    assert box["width"] == pytest.approx(millimetres * side / (64 * 5), abs=5)


def test_whose_picture_it_is_and_when_stands_on_it(opener: Opener) -> None:
    page = opener()
    canvas_of(page)
    expect(page.locator(".stage .top-left")).to_contain_text("Ana María Rivera")
    expect(page.locator(".stage .top-left")).to_contain_text("September 17, 2026")
    expect(page.locator(".stage .top-right")).to_have_text("Chest soft tissue 1.5 mm")


def test_an_x_ray_is_inverted_masked_and_without_presets(opener: Opener) -> None:
    page = opener()
    canvas_of(page)
    page.locator(f'[data-series-link="{fakes.XRAY}"]').click()
    canvas = canvas_of(page, series=fakes.XRAY, slice="1", orientation="R,L,S,I")
    assert greys(canvas) == [0, 255, 0, 255]
    expect(page.locator("[data-presets]")).to_be_hidden()
    expect(page.locator("[data-scale-bar]")).to_be_hidden()


def test_colour_comes_drawn_by_the_server(opener: Opener, live_portal: Portal) -> None:
    page = opener()
    canvas_of(page)
    page.locator(f'[data-series-link="{fakes.COLOUR}"]').click()
    canvas = canvas_of(page, series=fakes.COLOUR, slice="1")
    middle = canvas.evaluate("canvas => [canvas.clientWidth / 2, canvas.clientHeight / 2]")
    red, green, blue, _ = canvas.evaluate(PIXEL, middle)
    assert (red, green, blue) == pytest.approx((200, 40, 40), abs=3)
    accepts = {accept for path, accept in live_portal.gateway.asked if path.endswith("/rendered")}
    assert accepts == {"image/jpeg"}


def test_half_a_picture_is_never_shown(opener: Opener, live_portal: Portal) -> None:
    live_portal.gateway.short.add(100)
    page = opener()
    canvas = page.locator("#viewer-canvas")
    expect(canvas).to_have_attribute("data-state", "error")
    expect(page.locator("#viewer-message")).to_contain_text("did not arrive whole")
    assert greys(canvas) == [0, 0, 0, 0]
    canvas.focus()
    page.keyboard.press("ArrowDown")
    canvas_of(page, slice="101")
    live_portal.gateway.short.clear()
    page.keyboard.press("ArrowUp")
    page.locator('[data-action="retry"]').click()
    canvas_of(page, slice="100")


def test_pictures_that_are_away_are_said_to_be_and_can_be_tried_again(opener: Opener, live_portal: Portal) -> None:
    live_portal.gateway.broken.update(range(1, 201))
    page = opener()
    expect(page.locator("#viewer-canvas")).to_have_attribute("data-state", "error")
    expect(page.locator("#viewer-message")).to_contain_text("not available now")
    # Nobody keeps knocking at a door that does not open.
    assert len([path for path, _ in live_portal.gateway.asked if "/frames/" in path]) <= 8
    live_portal.gateway.broken.clear()
    page.locator('[data-action="retry"]').click()
    canvas_of(page, slice="100")


def test_while_a_picture_is_on_its_way_the_screen_says_so(opener: Opener, live_portal: Portal) -> None:
    live_portal.gateway.hold.clear()
    page = opener()
    expect(page.locator("#viewer-message")).to_have_text("Loading pictures …", use_inner_text=True)
    expect(page.locator("#viewer-canvas")).to_have_attribute("data-state", "loading")
    live_portal.gateway.hold.set()
    canvas_of(page, slice="100")
    expect(page.locator("#viewer-message")).to_be_hidden()


def test_signing_out_elsewhere_ends_the_viewer_with_a_way_back(opener: Opener, live_portal: Portal) -> None:
    page = opener()
    canvas_of(page)
    expect(page.locator("#viewer-progress")).to_be_hidden()
    live_portal.identity.ended.add("ses-ana")
    live_portal.tokens.issued.clear()
    page.locator(f'[data-series-link="{fakes.XRAY}"]').click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This page was closed")
    expect(page.locator("canvas")).to_have_count(0)


def test_when_only_the_right_to_look_has_ended_every_picture_goes(opener: Opener, live_portal: Portal) -> None:
    page = opener()
    canvas = canvas_of(page)
    expect(page.locator("#viewer-progress")).to_be_hidden()
    live_portal.gateway.refused = True
    page.locator("#viewer-slider").fill("10")
    expect(page.locator("#viewer-message")).to_contain_text("your access has ended")
    expect(page.locator("[data-sign-in]")).to_be_visible()
    page.locator("#viewer-slider").fill("100")  # one that had come before
    expect(canvas).to_have_attribute("data-state", "error")
    assert greys(canvas) == [0, 0, 0, 0]


def test_a_dead_token_is_renewed_once_and_unseen(opener: Opener, live_portal: Portal) -> None:
    page = opener()
    canvas_of(page)
    expect(page.locator("#viewer-progress")).to_be_hidden()
    live_portal.tokens.issued[:] = ["dead"]
    page.locator(f'[data-series-link="{fakes.XRAY}"]').click()
    canvas_of(page, series=fakes.XRAY)
    assert live_portal.tokens.issued == ["dead", "vt_2"]


def test_the_token_is_in_no_address_and_nowhere_kept(opener: Opener, live_portal: Portal) -> None:
    page = opener("/my/ctx-ana/")
    seen: list[Request] = []
    page.on("request", lambda request: seen.append(request))  # noqa: PLW0108  # Playwright writes on its handlers
    page.goto(live_portal.base_url + STUDY)
    canvas_of(page)
    expect(page.locator("#viewer-progress")).to_be_hidden()
    assert live_portal.tokens.issued == ["vt_1"]
    assert all("vt_" not in request.url for request in seen)
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    assert [cookie["name"] for cookie in page.context.cookies()] == [live_portal.cookie]
    assert "vt_1" not in page.content()
    frames = [accept for path, accept in live_portal.gateway.asked if "/frames/" in path]
    assert set(frames) == {RAW}


def _touch(page: Page, *moves: list[tuple[float, float]]) -> None:
    """Puts fingers down at the first places, moves them through the others, and lifts them."""
    session = page.context.new_cdp_session(page)
    kinds = ["touchStart", *("touchMove" for _ in moves[1:]), "touchEnd"]
    for kind, points in zip(kinds, [*moves, []], strict=True):
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
    session.detach()


def _phone(opener: Opener) -> tuple[Page, Locator, tuple[float, float]]:
    page = opener(viewport={"width": 320, "height": 640}, has_touch=True, is_mobile=True, device_scale_factor=2)
    canvas = canvas_of(page, slice="100")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    return page, canvas, (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_one_finger_scrolls_on_a_phone(opener: Opener) -> None:
    page, canvas, (x, y) = _phone(opener)
    _touch(page, *([(x, y + 10 * step)] for step in range(5)))
    expect(canvas).to_have_attribute("data-slice", "110")
    expect(canvas).to_have_attribute("data-window", "40,400")


def test_two_fingers_enlarge_on_a_phone(opener: Opener) -> None:
    page, canvas, (x, y) = _phone(opener)
    _touch(page, *([(x - 20 - 10 * step, y), (x + 20 + 10 * step, y)] for step in range(5)))
    expect(canvas).to_have_attribute("data-zoom", "3.00")
    expect(canvas).to_have_attribute("data-slice", "100")


def test_a_button_lets_the_finger_change_brightness(opener: Opener) -> None:
    page, canvas, _ = _phone(opener)
    page.locator('[data-mode="window"]').tap()
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    _touch(page, [(x, y)], [(x, y + 32)])
    expect(canvas).not_to_have_attribute("data-window", "40,400")
    expect(canvas).to_have_attribute("data-slice", "100")


def test_the_picture_is_sharp_on_a_dense_screen(opener: Opener) -> None:
    _, canvas, _ = _phone(opener)
    assert canvas.evaluate("canvas => canvas.width / canvas.clientWidth") == pytest.approx(2, abs=0.01)


def test_without_script_the_pictures_are_still_reached(opener: Opener) -> None:
    page = opener(java_script_enabled=False)
    expect(page.locator("#viewer")).to_be_hidden()
    expect(page.locator("[data-missing]")).to_have_css("display", "none")
    page.locator(f'[data-series-link="{fakes.SERIES}"]').click()
    expect(page.locator(".thumbnails img")).to_have_count(60)
