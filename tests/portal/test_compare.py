"""Two studies of one record side by side."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from tests.portal import fakes
from tests.portal.browsers import STUDY, Opener, canvas_of, opener
from tests.portal.conftest import Portal

__all__ = ["opener"]  # a fixture is found by its name in this module

PAIR = f"{STUDY}/compare/{fakes.HEAD}"
FIRST, SECOND = "viewer", "viewer-2"

pytestmark = pytest.mark.promise("A3")


def both(opener: Opener) -> Page:
    page = opener(PAIR)
    canvas_of(page, FIRST, slice="100")
    canvas_of(page, SECOND, slice="100")
    return page


def test_what_is_most_alike_is_offered_first_and_only_what_has_pictures(portal: Portal, client: FlaskClient) -> None:
    head, chest, hand, knee = portal.records.studies_found
    old = replace(chest, uid="2.25.7", started=knee.started)
    portal.records.studies_found = (head, chest, hand, knee, old)
    assert f'href="{STUDY}/compare/"' in client.get(STUDY).text
    text = client.get(f"{STUDY}/compare/").text
    offered = re.findall(rf'href="{STUDY}/compare/([0-9.]+)"', text)
    assert offered == ["2.25.7", fakes.HEAD, knee.uid]


def test_the_older_one_is_first_whichever_was_chosen(client: FlaskClient) -> None:
    for address in (PAIR, f"/my/ctx-ana/studies/{fakes.HEAD}/compare/{fakes.CT}"):
        text = client.get(address).text
        assert text.index("September 17, 2026") < text.index("November 20, 2026")


@pytest.mark.parametrize("other", ["1.2.3", fakes.CT])
def test_a_study_of_nobody_and_the_study_itself_are_not_there(client: FlaskClient, other: str) -> None:
    assert client.get(f"{STUDY}/compare/{other}").status_code == 404
    assert client.get("/my/ctx-ana/studies/1.2.3/compare/").status_code == 404


def test_without_script_each_side_leads_to_its_pictures(opener: Opener) -> None:
    page = opener(PAIR, java_script_enabled=False)
    for uid in (fakes.CT, fakes.HEAD):
        side = page.locator("[data-side]", has=page.locator(f'h2 a[href$="/studies/{uid}"]'))
        expect(side.locator(f'a[href*="/studies/{uid}/series/"]').first).to_be_visible()
    page.locator(f'a[href$="/studies/{fakes.CT}/series/{fakes.SERIES}"]').first.click()
    expect(page.locator(".thumbnails img")).to_have_count(60)


def test_where_the_script_does_not_come_each_side_leads_to_its_pictures(opener: Opener, live_portal: Portal) -> None:
    page = opener("/my/ctx-ana/")
    page.route("**/viewer/api.js", lambda route: route.abort())
    page.goto(live_portal.base_url + PAIR)
    link = page.locator(f'[data-missing] a[href*="/studies/{fakes.HEAD}/series/"]').first
    expect(link).to_be_visible(timeout=10_000)
    link.click()
    expect(page.locator(".thumbnails img").first).to_be_visible()


def test_each_side_has_a_token_for_its_own_study(opener: Opener, live_portal: Portal) -> None:
    both(opener)
    assert sorted(live_portal.tokens.studies) == sorted([fakes.CT, fakes.HEAD])


def test_in_one_frame_of_reference_they_scroll_by_place(opener: Opener) -> None:
    page = both(opener)
    expect(page.locator("[data-note]")).to_have_attribute("data-linked", "place")
    page.locator(f"#{FIRST}-slider").fill("61")
    canvas_of(page, FIRST, slice="61")
    canvas_of(page, SECOND, slice="30")
    page.locator(f"#{SECOND}-slider").fill("90")
    canvas_of(page, FIRST, slice="180")


def test_in_two_frames_of_reference_they_scroll_by_share_of_the_way(opener: Opener, live_portal: Portal) -> None:
    live_portal.gateway.one_system = False
    page = both(opener)
    expect(page.locator("[data-note]")).to_have_attribute("data-linked", "share")
    page.locator(f"#{FIRST}-slider").fill("61")
    canvas_of(page, SECOND, slice="61")


def test_set_apart_by_hand_and_linked_again_they_keep_their_distance(opener: Opener, live_portal: Portal) -> None:
    live_portal.gateway.one_system = False
    page = both(opener)
    button = page.get_by_role("button", name="Scroll together")
    button.click()
    expect(page.locator("[data-note]")).to_have_text("Each scrolls by itself.")
    page.locator(f"#{SECOND}-slider").fill("120")
    canvas_of(page, SECOND, slice="120")
    canvas_of(page, FIRST, slice="100")
    button.click()
    page.locator(f"#{FIRST}-slider").fill("50")
    canvas_of(page, SECOND, slice="70")


def test_on_a_phone_both_pictures_are_seen_at_once(opener: Opener) -> None:
    page = opener(PAIR, viewport={"width": 320, "height": 640}, has_touch=True, is_mobile=True)
    canvas_of(page, FIRST)
    canvas_of(page, SECOND)
    boxes = [page.locator(f"#{viewer}-canvas").bounding_box() for viewer in (FIRST, SECOND)]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[1]["y"] + boxes[1]["height"] - boxes[0]["y"] < 640
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
