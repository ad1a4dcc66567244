"""App developers sign in by a link in a mail: it works once, soon, from our own address, and tells nobody anything."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from smartapp.db.outbox.service import Outbox
from tests.support.databases import SqliteFiles
from tests.threats.composed import BASE, OURS, Browser, Composed, composed
from tests.threats.holding import MAIL, Holder

DEV = "dev@app.example"


@pytest.fixture(scope="module")
def shared(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    with composed(sqlite_files, tmp_path_factory.mktemp("developers"), mail=MAIL) as running:
        yield running


def somebody(running: Composed) -> Holder:
    return Holder(running, running.browser())


def asked(browser: Browser, address: str, **headers: str) -> TestResponse:
    return browser.open("/developers/link", method="POST", data={"address": address}, headers={**OURS, **headers})


def enter(browser: Browser, secret: str) -> TestResponse:
    return browser.open("/developers/sign-in", method="POST", data={"secret": secret}, headers=OURS)


def cookie(browser: Browser) -> str:
    found = browser.client.get_cookie("__Host-smartapp-developer", domain="images.example.org")
    return found.value if found else ""


def as_cookie(running: Composed, value: str) -> Browser:
    browser = running.browser()
    browser.client.set_cookie("__Host-smartapp-developer", value, domain="images.example.org", secure=True)
    return browser


@pytest.mark.threat("W16")
def test_a_link_works_once(shared: Composed) -> None:
    me = somebody(shared)
    secret = me.link(DEV)
    for _ in range(2):  # a program that looks at links in mails presses no button
        assert shared.browser().get(f"/developers/link/{secret}").status_code == 200
    assert enter(me.browser, secret).status_code == 303
    stranger = shared.browser()
    for wrong in (secret, secret[:-1], "", "sdl_unknown", "x" * 5000):
        assert enter(stranger, wrong).status_code == 400
    assert cookie(stranger) == ""
    assert stranger.get("/developers/apps").status_code == 401


@pytest.mark.threat("W16")
def test_a_link_works_for_half_an_hour(own: Composed) -> None:
    me = somebody(own)
    late, intime = me.link(DEV), me.link("dev-2@app.example")
    own.clock.advance(30 * 60 - 1)
    assert enter(me.browser, intime).status_code == 303
    own.clock.advance(2)
    assert enter(own.browser(), late).status_code == 400


@pytest.mark.threat("W16")
@pytest.mark.threat("W11")
def test_a_link_leads_to_our_own_address_and_its_page_tells_no_other_site(shared: Composed) -> None:
    me = somebody(shared)
    told = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "Forwarded": "host=evil.example"}
    assert asked(me.browser, "poisoned@app.example", **told).status_code == 200
    assert asked(me.browser, "poisoned@app.example", Host="evil.example").status_code == 400
    mine = [each for each in _letters(shared) if "/developers/link/" in each]
    assert mine
    assert all(re.search(rf"^ +{re.escape(BASE)}/developers/link/sdl_[\w-]+$", each, re.MULTILINE) for each in mine)
    assert not any("evil" in each for each in mine)
    page = shared.browser().get("/developers/link/sdl_whatever")
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.threat("W14")
def test_nobody_learns_whose_address_is_known(shared: Composed) -> None:
    known, browser = "known@app.example", shared.browser()
    assert enter(browser, somebody(shared).link(known)).status_code == 303
    answers = [asked(shared.browser(), each) for each in (known, known.upper(), "nobody@app.example", *[known] * 6)]
    assert {each.status_code for each in answers} == {200}
    bodies = {each.text.replace(each.headers["X-Request-Id"], "") for each in answers}
    assert len(bodies) == 1
    assert "Set-Cookie" not in str(answers[0].headers)


@pytest.mark.threat("W14")
def test_no_address_gets_more_than_five_letters_in_an_hour(own: Composed) -> None:
    for _ in range(8):
        assert asked(own.browser(), DEV).status_code == 200
    assert len(_letters(own)) == 5
    assert asked(own.browser(), "other@app.example").status_code == 200
    assert len(_letters(own)) == 1
    own.clock.advance(3601)
    assert asked(own.browser(), DEV).status_code == 200
    assert len(_letters(own)) == 1


@pytest.mark.threat("W6")
def test_signing_in_anew_ends_the_session_of_this_browser(shared: Composed) -> None:
    me = somebody(shared)
    assert enter(me.browser, me.link("one@app.example")).status_code == 303
    old, token = cookie(me.browser), me.developer_csrf()
    assert enter(me.browser, me.link("one@app.example")).status_code == 303
    assert cookie(me.browser) not in {"", old}
    assert me.developer_csrf() not in {"", token}
    assert as_cookie(shared, old).get("/developers/apps").status_code == 401
    chosen = as_cookie(shared, "chosen-by-somebody")
    assert enter(chosen, me.link("one@app.example")).status_code == 303
    assert cookie(chosen) != "chosen-by-somebody"


@pytest.mark.threat("W6")
def test_signing_out_ends_the_session_and_no_patients(shared: Composed) -> None:
    ana = Holder(shared, shared.signed_in())
    assert enter(ana.browser, ana.link("out@app.example")).status_code == 303
    held = cookie(ana.browser)
    data = {"csrf_token": ana.developer_csrf()}
    assert ana.browser.open("/developers/sign-out", method="POST", data=data, headers=OURS).status_code == 303
    assert as_cookie(shared, held).get("/developers/apps").status_code == 401
    assert ana.browser.my().status_code == 200


@pytest.mark.threat("W9")
def test_a_developers_session_ends_when_idle_and_after_eight_hours(own: Composed) -> None:
    idle, busy = somebody(own), somebody(own)
    for each, address in ((idle, DEV), (busy, "busy@app.example")):
        assert enter(each.browser, each.link(address)).status_code == 303
    for _ in range(47):
        own.clock.advance(600)
        assert busy.browser.get("/developers/apps").status_code == 200
    assert idle.browser.get("/developers/apps").status_code == 401
    own.clock.advance(601)
    assert busy.browser.get("/developers/apps").status_code == 401


@pytest.mark.threat("T18")
@pytest.mark.threat("C13")
def test_no_address_or_secret_of_a_developer_is_kept_readable(shared: Composed) -> None:
    me = somebody(shared)
    address = "canary.developer@app.example"
    secret = me.link(address)
    assert enter(me.browser, secret).status_code == 303
    held = cookie(me.browser)
    with shared.ground.database.read() as session:
        tables = session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
        kept = "\n".join(str(row) for name in tables for row in session.execute(text(f'SELECT * FROM "{name}"')))  # noqa: S608 -- ours
    for each in (address, secret, held):
        assert each not in kept


def _letters(running: Composed) -> list[str]:
    """The texts of the letters that wait; each is shown once."""
    ground = running.ground
    outbox = Outbox(ground.database, ground.keyring, ground.clock)
    found = outbox.claim("mail", limit=100)
    for each in found:
        outbox.done(each)
    return [json.loads(each.payload)["text"] for each in found]
