"""Signing out in a browser: nothing personal comes back by the back button."""

import pytest
from playwright.sync_api import Browser, expect

from tests.portal import fakes
from tests.portal.conftest import Portal


@pytest.mark.threat("W10")
def test_after_signing_out_the_back_button_shows_nothing(live_portal: Portal, chromium: Browser) -> None:
    context = chromium.new_context(locale="en-US")
    context.add_cookies([{"name": live_portal.cookie, "value": "ses-ana", "url": live_portal.base_url}])
    page = context.new_page()
    page.goto(f"{live_portal.base_url}/my/ctx-ana/studies/{fakes.CT}")
    expect(page.locator(".record")).to_contain_text("Ana María Rivera")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    assert context.cookies() == []
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    expect(page.locator("body")).not_to_contain_text("Ana")
    context.close()


def test_choosing_a_hospital_is_not_held_back_by_the_pages_own_policy(live_portal: Portal, chromium: Browser) -> None:
    page = chromium.new_page(locale="en-US")
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.route("http://localhost:9/**", lambda route: route.fulfill(body="the hospital's sign-in"))
    page.goto(live_portal.base_url)
    page.get_by_role("button", name="St. Elsewhere Health").click()
    expect(page.locator("body")).to_have_text("the hospital's sign-in")
    assert refused == []
    page.close()
