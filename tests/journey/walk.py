"""The steps of the tour, as a person takes them in a browser."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect


def sign_in_at_portal(page: Page, sandbox: dict[str, Any], username: str) -> None:
    """The EHR's own sign-in."""
    user = next(user for user in sandbox["users"] if user["username"] == username)
    page.goto(sandbox["ehr"]["portal"])
    page.fill("[name=username]", username)
    page.fill("[name=password]", user["password"])
    page.locator("form:has([name=username]) button").click()


def press_my_imaging(page: Page, sandbox: dict[str, Any]) -> None:
    """From the portal to our list, with no second password."""
    page.get_by_role("button", name="My imaging").click()
    page.wait_for_url(f"{sandbox['app']['base']}/my/**")


def open_study(page: Page, title: str) -> None:
    page.get_by_role("link", name=title).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def viewer_ready(page: Page, **data: str | int) -> None:
    """Waits until the viewer shows what `data` (its data attributes) says."""
    wanted = "".join(f'[data-{name}="{value}"]' for name, value in data.items())
    page.wait_for_selector(f"#viewer-canvas[data-state=ready]{wanted}", timeout=60_000)


def serious_faults(page: Page) -> list[str]:
    """What axe finds on the page that is serious or critical. Evaluated, so that the page's policy stays in force."""
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {node['html'][:120]}"
        for violation in found["violations"]
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"]
    ]
