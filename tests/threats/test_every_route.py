"""What must hold for every route there is: frames, caches, hosts, methods, failures, any input, ends of sessions."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartapp.web.rules import Rule
from tests.threats.addresses import CANARIES, NOTHING_PERSONAL, bearer
from tests.threats.composed import BASE, OURS, Browser, Composed
from tests.threats.holding import LEAVING, Holder, holder, methods, only_unsafe, sent

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def ana(everything: Holder) -> Browser:
    return everything.browser


@pytest.fixture(scope="module")
def token(ana: Browser) -> dict[str, str]:
    return bearer(ana)


@pytest.mark.threat("W1")
@pytest.mark.threat("W6")
def test_what_a_session_held_before_a_new_sign_in_is_worth_nothing_after_it(walked: Composed) -> None:
    held = holder(walked)
    ana = held.browser
    token, cookie, viewer, ctx = ana.csrf(), ana.cookie(), ana.viewer_token(), ana.ctx
    ana.sign_in("ana")
    assert ana.cookie() not in {"", cookie}
    assert ana.csrf() != token
    for address in held.unsafe():
        if address.rule is Rule.SESSION:
            assert sent(held, address, data={**held.form(address), "csrf_token": token}) == 400, address
    old = walked.browser()
    old.client.set_cookie("__Host-smartapp-session", cookie, domain="images.example.org", secure=True)
    assert old.get(f"/my/{ctx}/").status_code == 401
    assert ana.dicomweb("/studies/1.2.3", viewer).status_code == 401


@pytest.mark.threat("W6")
def test_nobody_can_be_given_a_session_that_was_not_opened(walked: Composed) -> None:
    browser = walked.browser()
    browser.client.set_cookie("__Host-smartapp-session", "chosen-by-somebody", domain="images.example.org", secure=True)
    browser.sign_in("ana")
    assert browser.cookie() != "chosen-by-somebody"


@pytest.mark.threat("W9")
def test_a_session_ends_when_idle_and_polling_keeps_none_alive(own: Composed) -> None:
    ana = own.signed_in()
    token = ana.viewer_token()
    for _ in range(3):
        own.clock.advance(290)
        ana.dicomweb("/studies", token)
    own.clock.advance(31)
    assert ana.my().status_code == 401
    assert "Canary" not in ana.my().text


@pytest.mark.threat("W9")
def test_a_session_ends_after_eight_hours_whatever_is_done(own: Composed) -> None:
    ana = own.signed_in()
    for _ in range(47):
        own.clock.advance(600)
        assert ana.my("sessions").status_code == 200
    own.clock.advance(601)
    assert ana.my("sessions").status_code == 401


@pytest.mark.clause("SMART 2.2", "5")
@pytest.mark.threat("W5")
@pytest.mark.threat("W10")
def test_no_answer_may_be_framed_kept_or_run_script_of_others(everything: Holder, ana: Browser) -> None:
    token = bearer(ana)
    for address in everything.addresses():
        if address.endpoint.endswith(LEAVING):
            continue
        for method in {"GET", "TRACE", *(address.methods - {"HEAD"})}:
            headers = token if address.rule is Rule.BEARER else {}
            answer = ana.open(address.path, method=method, headers=headers)
            policy = answer.headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in policy, (address, method)
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            if address.endpoint not in NOTHING_PERSONAL or answer.status_code != 200:
                assert answer.headers["Cache-Control"] == "no-store", (address, method)
                assert "Cookie" in ", ".join(answer.headers.getlist("Vary"))
            assert "ETag" not in answer.headers or address.endpoint in NOTHING_PERSONAL


@pytest.mark.threat("W10")
def test_a_cache_before_us_holds_nothing_for_the_next_person(walked: Composed, ana: Browser) -> None:
    ben = walked.signed_in("ben")
    for path in ("", "studies/1.2.3", "studies/1.2.3/series/1.2.3.1/thumbnail", "sessions"):
        assert ben.get(f"/my/{ana.ctx}/{path}").status_code == 409
    for suffix in ("x.css", ";x.css", "%0ax.css", "studies/1.2.3/x.css", "studies/1.2.3;x.css", "sessions.css"):
        answer = ana.my(suffix)
        assert answer.status_code in {400, 404}, suffix
        assert "Canary" not in answer.text
    assert (
        ana.my(headers={"If-None-Match": "*", "If-Modified-Since": "Mon, 23 Nov 2099 00:00:00 GMT"}).status_code == 200
    )


@pytest.mark.threat("W11")
@pytest.mark.parametrize(
    "host", ["evil.example", "images.example.org.evil.example", "images.example.org:444", "", "images.example.org@evil",
             "images.example.org, evil.example", "[::1]", "images.example.org."],
)  # fmt: skip
def test_every_route_wants_our_own_name(walked: Composed, everything: Holder, ana: Browser, host: str) -> None:
    calls = walked.calls()
    token = bearer(ana)
    for address in everything.addresses():
        answer = ana.open(address.path, method="GET", headers={"Host": host, **token})
        assert answer.status_code == 400, address
        assert "evil" not in answer.text
    assert walked.calls() == calls


@pytest.mark.threat("W11")
def test_what_clients_say_was_forwarded_changes_nothing(walked: Composed, ana: Browser) -> None:
    told = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "X-Forwarded-Proto": "http",
            "X-Original-URL": "/healthz", "X-Forwarded-Prefix": "/evil"}  # fmt: skip
    row = ana.dicomweb("/studies", ana.viewer_token(), headers=told).get_json(force=True)[0]
    assert row["00081190"]["Value"] == [f"{BASE}/st-elsewhere/dicomweb/studies/1.2.3"]
    assert "evil" not in ana.my(headers=told).text
    started = walked.browser().open("/start", method="POST", data={"provider": "mercy"}, headers={**OURS, **told})
    assert quote(f"{BASE}/callback", safe="") in started.headers["Location"]


@pytest.mark.threat("W22")
def test_methods_are_what_they_are(everything: Holder, ana: Browser) -> None:
    token = bearer(ana)
    tunnels = {"X-HTTP-Method-Override": "DELETE", "X-HTTP-Method": "POST", "X-Method-Override": "POST"}
    for address in everything.addresses():
        for method in ("TRACE", "TRACK", "CONNECT", "PROPFIND", "BREW"):
            assert ana.open(address.path, method=method, headers=token).status_code in {400, 405}, (address, method)
        small, capital = (ana.open(address.path, method=m, headers=token).status_code for m in ("post", "POST"))
        assert small == capital, address
        if address in only_unsafe(everything):
            assert ana.get(address.path, headers=tunnels, query_string={"_method": "POST"}).status_code == 405
    assert everything.as_it_was()
    assert ana.my().status_code == 200


@pytest.mark.clause("SMART 2.2", "301")
@pytest.mark.clause("SMART 2.2 server", "231")
@pytest.mark.threat("W24")
def test_nothing_is_answered_or_redirected_over_plain_http(everything: Holder, ana: Browser) -> None:
    token = bearer(ana)
    for address in everything.addresses():
        for method in address.methods - {"OPTIONS", "HEAD"}:
            answer = ana.open(address.path, method=method, base_url=BASE.replace("https", "http"), headers=token)
            assert answer.status_code == 400, address
            assert "Location" not in answer.headers


PROGRAMS = ("oauth.", "register.", "userinfo.", "jwks.", "discovery.oauth", "discovery.openid", "service.jwks")
"""What answers errors in OAuth's words (RFC 6749 §5.2)."""


@contextmanager
def _broken(composed: Composed) -> Iterator[None]:
    """Every view of ours fails, with something in the message that nobody may read."""
    views = composed.house.app.view_functions
    whole = dict(views)

    def breaking(view: Callable[..., Any]) -> Callable[..., NoReturn]:
        @functools.wraps(view)
        def fail(**_kwargs: Any) -> NoReturn:
            raise RuntimeError("SELECT name FROM people -- Ana Canaryvera SE-1001 canary-access-token")

        return fail

    views.update({name: breaking(view) for name, view in whole.items() if not name.endswith("static")})
    try:
        yield
    finally:
        views.update(whole)


@pytest.mark.threat("W20")
def test_a_failure_in_any_view_tells_a_reference_and_nothing_else(
    walked: Composed, everything: Holder, caplog: pytest.LogCaptureFixture
) -> None:
    """A program is told to come again: what is wrong on our side is nothing that it could mend."""
    ana = everything.browser
    token = bearer(ana)
    csrf = {rule: everything.csrf(rule) for rule in Rule}
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    failed = set()
    with _broken(walked):
        for address in everything.addresses():
            if address.endpoint.endswith("static"):
                continue
            method = "GET" if "GET" in address.methods else methods(address)[0]
            form = {"csrf_token": csrf[address.rule]} if method != "GET" else None
            answer = ana.open(address.path, method=method, headers={**OURS, **token}, data=form)
            if address.endpoint.startswith(PROGRAMS):
                assert (answer.status_code, answer.get_json()["error"]) == (503, "temporarily_unavailable"), address
            else:
                assert answer.status_code == 500, address
                assert answer.headers["X-Request-Id"] in answer.text
            failed.add(address.endpoint.split(".")[0])
            for secret in ("Traceback", "RuntimeError", "SELECT", ".py", *CANARIES):
                assert secret not in answer.text, address
    endpoints = {address.endpoint for address in everything.addresses()}
    assert failed == {each.split(".")[0] for each in endpoints if not each.endswith("static")}
    told = "\n".join(f"{record.getMessage()} {record.exc_text or ''}" for record in caplog.records)
    assert re.search(r"error\.unhandled req-\S+ RuntimeError", told)
    assert not any(canary in told for canary in ("SELECT", *CANARIES))


PIECES = st.one_of(
    st.sampled_from(
        ["my", "studies", "series", "instances", "metadata", "frames", "rendered", "thumbnail", "bulkdata", "launch",
         "callback", "st-elsewhere", "dicomweb", "nowhere", "1.2.3", "1.2.3.1", "1.2.3.1.1", "1", "0", "-1", "7FE00010",
         "..", ".", "", "%2e%2e", "%2f", "%00", "%0d%0aX: y", "%ff", "%ud800", ";x", "9" * 70, "1" + "0" * 400, "*",
         "reports", "r1", "attachments", "sessions", "static", "portal", "viewer", ".well-known", "healthz"]
    ),
    st.text(max_size=12).map(lambda text: quote(text, safe="")),
    st.binary(max_size=6).map(lambda raw: quote(raw, safe="")),
)  # fmt: skip
NAMES = st.one_of(
    st.sampled_from(["iss", "launch", "code", "state", "error", "page", "PatientID", "StudyInstanceUID", "limit",
                     "offset", "includefield", "window", "viewport", "quality", "fuzzymatching", "StudyDate",
                     "00100020"]),
    st.text(max_size=8),
)  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(["", "*", "1", "-1", "0", "99999999999999999999", "1e9", "nan", "1,2,linear", "all", "20200101-",
                     "\\", "a\\b", "\x00", "\r\nX: y", "٣", "http://127.0.0.1:9/fhir", "{{7*7}}"]),
    st.text(max_size=20),
)  # fmt: skip


@pytest.mark.threat("P14")
@settings(max_examples=300, deadline=None)
@given(
    pieces=st.lists(PIECES, max_size=9),
    query=st.lists(st.tuples(NAMES, VALUES), max_size=4),
    accept=st.one_of(
        st.none(), st.sampled_from(["*/*", "image/png", "a;q=x", "multipart/related; type="]), st.text(max_size=20)
    ),
    known=st.integers(min_value=0, max_value=200),
)
def test_no_soup_is_a_failure_of_ours(
    everything: Holder, ana: Browser, token: dict[str, str], pieces: list[str], query: list[tuple[str, str]],
    accept: str | None, known: int,
) -> None:  # fmt: skip
    """Half of the addresses are those of real routes with one piece replaced."""
    paths = [address.path for address in everything.addresses()]
    path = "/" + "/".join(pieces)
    if known < len(paths) and pieces:
        real = paths[known].split("/")
        real[len(pieces) % len(real)] = pieces[0]
        path = "/".join(real)
    headers = {**token, **({"Accept": accept} if accept and accept.isascii() and accept.isprintable() else {})}
    text = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)
    answer = ana.open(f"/{path.lstrip('/')}?{text}", method="GET", headers=headers)
    assert answer.status_code < 500, (path, query)
    assert "Traceback" not in answer.text


@pytest.mark.threat("P14")
@pytest.mark.threat("W17")
@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.one_of(NAMES, st.sampled_from(["user_id", "patient_id", "role", "ctx"])), VALUES, max_size=5))
def test_no_form_is_a_failure_of_ours_or_changes_who_asks(everything: Holder, form: dict[str, str]) -> None:
    form = {name: value for name, value in form.items() if name not in {"csrf_token", "provider"}}
    for address in everything.unsafe():
        if not address.endpoint.endswith((*LEAVING, *ENDING)):
            assert sent(everything, address, data={**form, "csrf_token": everything.csrf(address.rule)}) < 500, address
    assert "Ana Canaryvera" in everything.browser.my().text
    assert everything.browser.get("/developers/apps").status_code == 200


ENDING = ("apps.revoke", "apps.pause", "developers.delete")
"""Any form means these: what the others are asked about would be gone."""
