"""The authorization endpoint under attack: nobody is sent where they should not be, and no patient is asked."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from werkzeug.test import TestResponse

from smartapp.identity.apps.model import App, AppState, AuthMethod
from tests.authserver.house import BASE, ISSUER, PROVIDER, REDIRECT, SCOPE, VERIFIER, AuthHouse
from tests.support.databases import SqliteFiles
from tests.threats.connections import Seen, recorded

CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
AUTHORIZE = f"/{PROVIDER}/oauth/authorize"
FORM = "application/x-www-form-urlencoded"
EVIL = "https://evil.example/cb"


@pytest.fixture(scope="module")
def house(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthHouse]:
    with sqlite_files.ready() as url:
        made = AuthHouse(url, tmp_path_factory.mktemp("authorize"))
        yield made
        made.close()


@pytest.fixture(scope="module")
def app(house: AuthHouse) -> App:
    return house.app()


@pytest.fixture
def outside() -> Iterator[Seen]:
    """No request here leads to a connection or a look-up of ours."""
    with recorded() as seen:
        yield seen
    assert seen.peers == set()
    assert seen.names == set()


def asked(app: App, **changed: str | None) -> dict[str, str]:
    said = {
        "response_type": "code", "client_id": app.client_id, "redirect_uri": REDIRECT, "scope": SCOPE,
        "state": "st&ate=1", "aud": f"{ISSUER}/fhir", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        **changed,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value is not None}


def send(house: AuthHouse, form: dict[str, str] | list[tuple[str, str]], method: str = "GET") -> TestResponse:
    if method == "POST":
        return house.http.post(AUTHORIZE, data=urlencode(form), base_url=BASE, content_type=FORM)
    return house.get(f"{AUTHORIZE}?{urlencode(form)}")


def on_our_page(house: AuthHouse, answer: TestResponse, kind: str, before: int) -> None:
    """A page of ours, that leads nowhere and repeats nothing; the row was written."""
    assert answer.status_code == 400, answer.text
    assert answer.mimetype == "text/html"
    assert "Location" not in answer.headers
    assert "evil" not in answer.text
    assert house.kinds()[before:] == [kind]


def at_the_app(answer: TestResponse, error: str) -> dict[str, list[str]]:
    """The error at the app's own address, with its state and our name (RFC 9207)."""
    assert answer.status_code == 303, answer.text
    location = answer.headers["Location"]
    assert location.startswith(f"{REDIRECT}?")
    query = parse_qs(urlsplit(location).query)
    assert (query["error"], query["state"], query["iss"]) == ([error], ["st&ate=1"], [ISSUER])
    assert "code" not in query
    return query


@pytest.mark.threat("O23")
@pytest.mark.threat("O25")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_that_is_right_goes_on_to_the_page_by_see_other(house: AuthHouse, app: App, method: str) -> None:
    """Else nothing below would show anything."""
    answer = send(house, asked(app), method)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"/{PROVIDER}/oauth/approve/sar_")
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.threat("O6")
@pytest.mark.threat("O8")
@pytest.mark.parametrize("kind", ["none", "client_secret_basic", "private_key_jwt"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "changed",
    [
        {"code_challenge": None}, {"code_challenge": ""}, {"code_challenge_method": None},
        {"code_challenge_method": "plain"}, {"code_challenge_method": "s256"}, {"code_challenge": CHALLENGE + "="},
        {"code_challenge": VERIFIER + "\n"}, {"code_challenge": None, "code_challenge_method": None},
    ],
)  # fmt: skip
def test_no_challenge_no_code(
    house: AuthHouse, outside: Seen, kind: AuthMethod, method: str, changed: dict[str, Any]
) -> None:
    rows = len(house.kinds())
    app = house.app(kind)
    answer = send(house, asked(app, **changed), method)
    at_the_app(answer, "invalid_request")
    assert house.kinds()[rows:].count("oauth.pkce.missing") == 1


ALMOST = [
    "https://APP.example/callback", "HTTPS://app.example/callback", "https://app.example/callback/",
    "https://app.example:443/callback", "https://app.example/a/../callback", "https://app.example/%63allback",
    "https://app.example/callback?x=1", "https://app.example/callback#f", " https://app.example/callback",
    "https://app.example/callback%00", "https://app.example/callback\x00", "https://app.example/callback\n",
    "https://app.example/callback\t", "https://аpp.example/callback", "https://xn--pp-7kc.example/callback",
    "http://app.example/callback", "https://app.example@evil.example/callback", "//app.example/callback",
    "https://app.example\\@evil.example/callback", "https://app.example.evil.example/callback", EVIL,
    "javascript:alert(1)", "data:text/html,x", "https://app.example", "https://app.example/callbac",
]  # fmt: skip


@pytest.mark.threat("O11")
@pytest.mark.threat("O15")
@pytest.mark.threat("O16")
@pytest.mark.parametrize("uri", ALMOST)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_address_that_is_almost_the_registered_one_is_another(
    house: AuthHouse, app: App, outside: Seen, uri: str, method: str
) -> None:
    rows = len(house.kinds())
    answer = send(house, asked(app, redirect_uri=uri), method)
    on_our_page(house, answer, "oauth.redirect.mismatch", rows)


@pytest.mark.threat("O12")
@pytest.mark.parametrize("name", ["redirect_uri", "client_id", "scope", "state", "code_challenge", "aud", "unheard"])
@pytest.mark.parametrize("other", ["same", "evil"])
@pytest.mark.parametrize("where", ["address", "form", "both"])
def test_what_is_said_twice_is_not_read(
    house: AuthHouse, app: App, outside: Seen, name: str, other: str, where: str
) -> None:
    form = {**asked(app), "unheard": "1"}
    twice = EVIL if other == "evil" else form[name]
    rows = len(house.kinds())
    if where == "both":
        path = f"{AUTHORIZE}?{urlencode({name: twice})}"
        answer = house.http.post(path, data=urlencode(form), base_url=BASE, content_type=FORM)
    else:
        pairs = [*form.items(), (name, twice)]
        answer = send(house, pairs, "POST" if where == "form" else "GET")
    on_our_page(house, answer, "oauth.param.duplicate", rows)


@pytest.mark.threat("O13")
@pytest.mark.parametrize("uri", [None, ""])
def test_the_address_is_always_said_also_where_one_is_registered(
    house: AuthHouse, app: App, outside: Seen, uri: str | None
) -> None:
    for each in (app, house.app(redirect_uris=(REDIRECT,))):
        rows = len(house.kinds())
        on_our_page(house, send(house, asked(each, redirect_uri=uri)), "oauth.redirect.missing", rows)


@pytest.mark.threat("O19")
@pytest.mark.parametrize(
    "changed",
    [
        {"response_type": "foo"}, {"response_type": "token"}, {"response_type": "id_token"},
        {"response_type": "code token"}, {"response_type": None}, {"scope": "patient/*.dance"}, {"scope": None},
        {"client_id": "app-unknown", "redirect_uri": REDIRECT}, {"client_id": None}, {"request_uri": EVIL},
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_error_goes_to_an_address_that_was_not_checked(
    house: AuthHouse, app: App, outside: Seen, changed: dict[str, Any], method: str
) -> None:
    said = {"redirect_uri": EVIL, **changed}
    rows = len(house.kinds())
    kind = "oauth.authorize.reject" if "client_id" in changed else "oauth.redirect.mismatch"
    on_our_page(house, send(house, asked(app, **said), method), kind, rows)


@pytest.mark.threat("O19")
@pytest.mark.parametrize("state", [AppState.PENDING, AppState.REFUSED, AppState.SUSPENDED])
def test_an_app_that_may_not_ask_is_told_nothing(house: AuthHouse, outside: Seen, state: AppState) -> None:
    app = house.registered(state=state).app
    rows = len(house.kinds())
    answer = send(house, asked(app))
    on_our_page(house, answer, "oauth.authorize.reject", rows)
    assert "unauthorized_client" in answer.text


@pytest.mark.threat("O19")
@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"scope": "patient/*.dance"}, "invalid_scope"),
        ({"scope": "system/*.rs user/*.rs"}, "invalid_scope"),
        ({"aud": f"{BASE}/st-mercy/fhir"}, "invalid_request"),
        ({"aud": None}, "invalid_request"),
        ({"prompt": "none"}, "interaction_required"),
    ],
)
def test_the_apps_own_faults_are_told_at_its_own_address(
    house: AuthHouse, app: App, outside: Seen, changed: dict[str, Any], error: str
) -> None:
    rows = len(house.kinds())
    at_the_app(send(house, asked(app, **changed)), error)
    assert house.kinds()[rows:] == ["oauth.authorize.reject"]


@pytest.mark.threat("O21")
@pytest.mark.parametrize("state", ["a\r\nSet-Cookie: x=1", "a\nb", "a\x00b", "ä", "x" * 2049, "x" * 100_000])
def test_a_state_that_cannot_be_given_back_is_not_taken(house: AuthHouse, app: App, outside: Seen, state: str) -> None:
    rows = len(house.kinds())
    for method in ("GET", "POST"):
        answer = send(house, asked(app, state=state), method)
        assert "Set-Cookie" not in answer.headers
        if len(state) == 100_000 and method == "POST":
            assert answer.status_code == 413
            continue
        assert (answer.status_code, "Location" in answer.headers) == (400, False)
        assert state[:40] not in answer.text
    assert set(house.kinds()[rows:]) == {"oauth.authorize.reject"}


@pytest.mark.threat("O21")
@pytest.mark.parametrize("state", ["<script>alert(1)</script>", "%0d%0aX: y", "a b+c&error=none#f", "'\"`"])
def test_a_state_comes_back_as_it_was_and_adds_nothing(house: AuthHouse, app: App, state: str) -> None:
    plain = send(house, asked(app, code_challenge=None))
    answer = send(house, asked(app, code_challenge=None, state=state))
    location = urlsplit(answer.headers["Location"])
    assert parse_qs(location.query)["state"] == [state]
    assert parse_qs(location.query)["error"] == ["invalid_request"]
    assert location.fragment == ""
    assert sorted(answer.headers.keys()) == sorted(plain.headers.keys())
    assert "<script>" not in answer.text


@pytest.mark.threat("O52")
@pytest.mark.threat("P12")
@pytest.mark.parametrize(
    "uri",
    ["http://169.254.169.254/latest", "https://evil.example/request.jwt", "urn:ietf:params:oauth:request_uri:x", "x"],
)
def test_a_request_kept_elsewhere_is_refused_and_not_fetched(
    house: AuthHouse, app: App, outside: Seen, uri: str
) -> None:
    for method in ("GET", "POST"):
        rows = len(house.kinds())
        at_the_app(send(house, asked(app, request_uri=uri), method), "request_uri_not_supported")
        assert house.kinds()[rows:] == ["oauth.request_uri"]


@pytest.mark.threat("O53")
@pytest.mark.parametrize("inside", [{"redirect_uri": EVIL}, {"scope": "system/*.rs"}, {}])
def test_a_request_in_a_token_is_refused_and_not_read(
    house: AuthHouse, app: App, outside: Seen, inside: dict[str, str]
) -> None:
    parts = [{"alg": "none"}, {"iss": app.client_id, "aud": ISSUER, **inside}]
    token = ".".join(urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in parts) + "."
    rows = len(house.kinds())
    at_the_app(send(house, asked(app, request=token)), "request_not_supported")
    assert house.kinds()[rows:] == ["oauth.request_obj"]
    rows = len(house.kinds())
    answer = send(house, asked(app, request=token, redirect_uri=EVIL))
    on_our_page(house, answer, "oauth.redirect.mismatch", rows)
