"""The person's part in a browser that runs scripts: from where an app sends them back to the app."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.clients.house import House


def sign_in(page: Page, house: House, username: str = "ana") -> None:
    """Fills in the hospital's own sign-in, which the page shows."""
    password = next(user["password"] for user in house.said["users"] if user["username"] == username)
    page.fill("[name=username]", username)
    page.fill("[name=password]", password)
    page.locator("form:has([name=username]) button").click()


def answer(page: Page, button: str, app: str) -> None:
    """Agrees on the hospital's page, if it asks, and presses `button` on ours; ends on the app's page `app`."""
    page.wait_for_url(lambda url: "/oauth/approve/" in url or "/oauth/authorize" in url)
    if "/oauth/approve/" not in page.url:
        page.locator("button[name=decision][value=approve]").click()
        page.wait_for_url("**/oauth/approve/*")
    page.get_by_role("button", name=button, exact=True).click()
    page.wait_for_url(f"{app}*")
