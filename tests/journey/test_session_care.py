"""A session's end, alerts by mail and a framed launch, as people meet them."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.journey.walk import press_my_imaging, serious_faults, sign_in_at_portal
from tests.support.sandboxes import running

IDLE = 900
Sandbox = dict[str, Any]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running() as ready:
        yield ready


@pytest.fixture(autouse=True)
def right_time(sandbox: Sandbox) -> Iterator[None]:
    yield
    requests.put(f"{sandbox['faults']}/clock", json={"seconds": 0}, timeout=5)


def pass_time(sandbox: Sandbox, seconds: int, page: Page) -> None:
    """For the server, and for all pages of this page's browser context: they have one clock."""
    requests.post(f"{sandbox['faults']}/clock", json={"seconds": seconds}, timeout=5).raise_for_status()
    page.clock.fast_forward(seconds * 1000)


def enter(page: Page, sandbox: Sandbox, username: str = "ana") -> None:
    sign_in_at_portal(page, sandbox, username)
    press_my_imaging(page, sandbox)
    expect(page.locator(".record")).to_be_visible()


@pytest.mark.promise("E3")
@pytest.mark.threat("W9")
def test_one_press_keeps_a_session_in_every_tab(page: Page, sandbox: Sandbox) -> None:
    page.clock.install()
    enter(page, sandbox)
    other = page.context.new_page()
    other.goto(page.url)
    pass_time(sandbox, IDLE - 90, page)
    warning = page.get_by_role("dialog", name="Are you still there?")
    expect(warning).to_be_visible()
    expect(other.get_by_role("dialog")).to_be_visible()
    expect(warning.get_by_role("timer")).to_have_text(re.compile(r"1:[0-3]\d"))
    expect(page.get_by_role("button", name="Stay signed in")).to_be_focused()
    assert serious_faults(page) == []
    page.keyboard.press("Enter")
    expect(warning).to_be_hidden()
    expect(other.get_by_role("dialog")).to_be_hidden()
    pass_time(sandbox, 120, page)
    page.reload()
    expect(page.locator(".record")).to_be_visible()


@pytest.mark.promise("E3")
@pytest.mark.threat("W9")
def test_a_page_that_nobody_uses_clears_itself(page: Page, sandbox: Sandbox) -> None:
    page.clock.install()
    enter(page, sandbox)
    pass_time(sandbox, IDLE - 60, page)
    expect(page.get_by_role("dialog")).to_be_visible()
    pass_time(sandbox, 61, page)
    expect(page.get_by_role("heading", level=1)).to_have_text("This page was closed")
    expect(page.locator("body")).not_to_contain_text("Ana")
    expect(page.get_by_role("link", name="Sign in again")).to_be_visible()
    assert serious_faults(page) == []


def test_without_the_server_the_page_clears_itself_all_the_same(page: Page, sandbox: Sandbox) -> None:
    page.clock.install()
    enter(page, sandbox)
    page.route("**/session/**", lambda route: route.abort())
    page.clock.fast_forward((IDLE + 1) * 1000)
    expect(page.locator("body")).not_to_contain_text("Ana")


@pytest.mark.promise("A7")
@pytest.mark.promise("E3")
def test_an_address_is_confirmed_and_told_of_the_next_sign_in(page: Page, sandbox: Sandbox) -> None:
    address = f"ana-{page.viewport_size['width'] if page.viewport_size else 0}@example.org"
    enter(page, sandbox)
    page.get_by_role("link", name="Your sign-ins").click()
    page.get_by_role("link", name="Change your alerts").click()
    page.get_by_label("Mail address").fill(address)
    page.get_by_role("button", name="Send me a code").click()
    code = re.search(r"^    (\S+)$", mail_to(sandbox, address, 1)["text"], re.MULTILINE)
    assert code is not None
    assert serious_faults(page) == []
    page.get_by_role("textbox", name="Code").fill(code[1])
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("alerts go to this address from now on")).to_be_visible()
    assert serious_faults(page) == []
    width = page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert width, "the page is wider than the screen"
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.goto(sandbox["ehr"]["portal"])  # where she is still signed in
    press_my_imaging(page, sandbox)
    assert mail_to(sandbox, address, 2)["subject"] == "A new sign-in to your account"


def mail_to(sandbox: Sandbox, address: str, count: int) -> dict[str, Any]:
    """The newest letter to `address`, once there are `count` of them."""
    deadline = time.monotonic() + 30
    while True:
        letters = requests.get(f"{sandbox['mail']['inbox']}/messages", params={"to": address}, timeout=5).json()
        if len(letters) >= count:
            found: dict[str, Any] = letters[-1]
            return found
        assert time.monotonic() < deadline, f"{len(letters)} of {count} letters came"


@pytest.mark.threat("W5")
def test_a_framed_launch_goes_on_in_a_window_of_its_own(page: Page, sandbox: Sandbox) -> None:
    sign_in_at_portal(page, sandbox, "ana")
    page.get_by_role("button", name="My imaging").evaluate(
        "button => button.form.append(Object.assign(document.createElement('input'), {name: 'framed', value: '1'}))"
    )
    page.get_by_role("button", name="My imaging").click()
    link = page.frame_locator("iframe").get_by_role("link", name="Open in a new window")
    with page.context.expect_page() as opened:
        link.click()
    window = opened.value
    window.wait_for_url(f"{sandbox['app']['base']}/my/**")
    expect(window.get_by_text("Record of Ana")).to_be_visible()
    assert window.evaluate("window.opener") is None


@pytest.mark.threat("W5")
def test_no_other_site_may_frame_the_launch(page: Page, sandbox: Sandbox) -> None:
    framed = f"{sandbox['app']['launch']}?iss={sandbox['ehr']['iss']}&launch=handle"
    with foreign_site(f'<iframe src="{framed}"></iframe>') as address:
        page.goto(address)
        page.wait_for_load_state("networkidle")
        assert page.frames[1].url.startswith("chrome-error:")


@contextmanager
def foreign_site(body: str) -> Iterator[str]:
    """A page of somebody else's."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()
