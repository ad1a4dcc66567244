"""The idle limit: what moves it, what does not, and what is said about it."""

import re

import pytest

from smartapp.bootstrap import build_house, lay_ground
from tests.threats.composed import BASE, Browser, Composed


def left(browser: Browser) -> int:
    answer = browser.get("/session/left")
    assert answer.status_code == 200
    return int(answer.get_json()["seconds"])


@pytest.mark.threat("W9")
def test_asking_moves_nothing_and_one_press_moves_the_end(site: Composed) -> None:
    browser = site.signed_in()
    token = browser.csrf()
    for _ in range(7):
        site.clock.advance(120)
        left(browser)
    assert 0 < left(browser) <= 60
    stayed = browser.post("/session/stay", token=token)
    assert stayed.get_json()["final"] is False
    assert 895 <= stayed.get_json()["seconds"] <= 900
    for _ in range(7):
        site.clock.advance(120)
        left(browser)
    site.clock.advance(61)
    assert browser.get("/session/left").status_code == 401
    assert browser.my().status_code == 401


@pytest.mark.threat("W9")
def test_no_press_moves_the_absolute_limit(site: Composed) -> None:
    browser = site.signed_in()
    token = browser.csrf()
    for _ in range(48):
        assert browser.post("/session/stay", token=token).status_code == 200
        site.clock.advance(590)
    answer = browser.post("/session/stay", token=token).get_json()
    assert answer["final"] is True
    assert answer["seconds"] <= 480
    site.clock.advance(answer["seconds"] + 1)
    assert browser.post("/session/stay", token=token).status_code == 401


@pytest.mark.threat("W1")
def test_only_our_own_page_can_press(site: Composed) -> None:
    browser = site.signed_in()
    assert browser.post("/session/stay", token="forged").status_code == 400
    assert browser.get("/session/stay").status_code == 405
    assert browser.open("/session/stay", method="POST", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 400
    assert site.browser().get("/session/left").status_code == 401


def test_every_page_of_a_record_knows_its_end_and_leaves_without_script(site: Composed) -> None:
    browser = site.signed_in()
    for page in ("", "studies/1.2.3", "sessions", "alerts/"):
        said = browser.my(page).text
        dialog = re.search(
            r'<dialog id="session-care"[^>]*data-seconds="(\d+)" data-warn="120" data-final="false"', said
        )
        refresh = re.search(r'<noscript><meta http-equiv="refresh" content="(\d+); url=/session/over">', said)
        assert dialog is not None, page
        assert refresh is not None, page
        assert 895 <= int(dialog[1]) <= 900
        assert int(refresh[1]) == int(dialog[1]) + 5


def test_the_last_page_says_whether_the_session_is_over(site: Composed) -> None:
    browser = site.signed_in()
    assert f'href="/my/{browser.ctx}/"' in browser.get("/session/over").text
    site.clock.advance(890)
    assert "still signed in" in browser.get("/session/over").text
    site.clock.advance(11)
    said = browser.get("/session/over")
    assert said.status_code == 200
    assert "we signed you out" in said.text
    assert browser.ctx not in said.text


@pytest.mark.promise("E3")
@pytest.mark.threat("W6")
def test_ending_is_immediate_on_every_worker(site: Composed) -> None:
    other = build_house(lay_ground(site.ground.settings, site.clock))
    try:
        phone, desk = site.signed_in(), site.signed_in()
        elsewhere = Browser(site, other.app.test_client(), phone.ctx)
        elsewhere.client.set_cookie("__Host-smartapp-session", phone.cookie(), domain="images.example.org", secure=True)
        assert elsewhere.my().status_code == 200
        token = elsewhere.viewer_token()
        assert phone.look("/studies/1.2.3", token)[0] == 200
        assert desk.post("/sign-out-everywhere").status_code == 303
        assert elsewhere.my().status_code == 401
        assert phone.my().status_code == 401
        assert desk.my().status_code == 401
        assert elsewhere.dicomweb("/studies/1.2.3", token).status_code == 401
    finally:
        other.pool.close()


def test_the_list_shows_the_way_to_the_alerts(site: Composed) -> None:
    browser = site.signed_in()
    assert f'href="/my/{browser.ctx}/alerts/"' in browser.my("sessions").text
    assert BASE not in browser.my("sessions").text
