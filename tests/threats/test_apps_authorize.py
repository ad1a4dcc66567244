"""The authorization endpoint, whatever is asked of it: no packet leaves for it, and its answers are held by nobody.

What each refusal says, `tests/authserver/test_authorize.py` tries.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from smartapp.identity.apps.model import App
from tests.authserver.house import BASE, ISSUER, PROVIDER, REDIRECT, SCOPE, AuthHouse
from tests.support.databases import SqliteFiles
from tests.threats.connections import recorded
from tests.threats.holding import CHALLENGE

AUTHORIZE = f"/{PROVIDER}/oauth/authorize"
FORM = "application/x-www-form-urlencoded"
INSIDE = ("http://169.254.169.254/latest", "http://127.0.0.1:9/x", "https://evil.example/x", "file:///etc/passwd")


@pytest.fixture(scope="module")
def house(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthHouse]:
    with sqlite_files.ready() as url:
        made = AuthHouse(url, tmp_path_factory.mktemp("authorize"))
        yield made
        made.close()


@pytest.fixture(scope="module")
def app(house: AuthHouse) -> App:
    """It registered addresses of its own for everything that a registration can name."""
    names = ("client_uri", "policy_uri", "tos_uri", "logo_uri", "launch_uri")
    said: dict[str, Any] = {each: f"https://evil.example/{each}" for each in names}
    return house.app(**said)


def send(house: AuthHouse, app: App, method: str, **changed: str) -> TestResponse:
    said = {
        "response_type": "code", "client_id": app.client_id, "redirect_uri": REDIRECT, "scope": SCOPE, "state": "st",
        "aud": f"{ISSUER}/fhir", "code_challenge": CHALLENGE, "code_challenge_method": "S256", **changed,
    }  # fmt: skip
    if method == "POST":
        return house.http.post(AUTHORIZE, data=urlencode(said), base_url=BASE, content_type=FORM)
    return house.get(f"{AUTHORIZE}?{urlencode(said)}")


@pytest.mark.threat("P12")
@pytest.mark.threat("O52")
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "name",
    ["", "request_uri", "redirect_uri", "aud", "client_id", "launch", "state", "registration", "id_token_hint",
     "claims", "policy_uri", "logo_uri", "jwks_uri", "iss"],
)  # fmt: skip
def test_no_address_in_a_request_is_connected_to_or_looked_up(
    house: AuthHouse, app: App, method: str, name: str
) -> None:
    statuses = set()
    with recorded() as seen:
        for each in INSIDE:
            statuses.add(send(house, app, method, **({name: each} if name else {})).status_code)
    assert statuses <= {303, 400}
    assert (seen.peers, seen.names) == (set(), set())


@pytest.mark.threat("O23")
@pytest.mark.parametrize("changed", [{}, {"code_challenge": ""}, {"redirect_uri": "https://evil.example/"}])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_page_can_frame_or_hold_the_endpoint(
    house: AuthHouse, app: App, method: str, changed: dict[str, Any]
) -> None:
    answer = send(house, app, method, **changed)
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.threat("O21")
def test_a_state_of_100_kb_is_too_large(house: AuthHouse, app: App) -> None:
    before = house.kinds()
    answer = send(house, app, "POST", state="x" * 100_000)
    assert (answer.status_code, "Location" in answer.headers) == (413, False)
    assert "xxxx" not in answer.text
    assert house.kinds() == before


@pytest.mark.threat("O21")
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("state", "usual", "status"),
    [
        ("a\r\nSet-Cookie: x=1\r\n\r\n<b>", "\x00", 400),
        ("<script>alert(1)</script>", "st", 303),
        ("s" * 8000, "s" * 2049, 400),
    ],
)
def test_no_state_adds_a_header_to_an_answer(
    house: AuthHouse, app: App, method: str, state: str, usual: str, status: int
) -> None:
    expected, answer = (send(house, app, method, state=each) for each in (usual, state))
    assert (expected.status_code, answer.status_code) == (status, status)
    assert [name for name, _ in answer.headers] == [name for name, _ in expected.headers]
    assert "<script>" not in str(answer.headers) + answer.text
    assert "x=1" not in str(answer.headers)


@pytest.mark.threat("O21")
def test_an_address_with_a_state_of_100_kb_is_refused(house: AuthHouse, app: App) -> None:
    expected, answer = (send(house, app, "GET", state="x" * length) for length in (2049, 100_000))
    assert (answer.status_code, "Location" in answer.headers) == (400, False)
    assert [name for name, _ in answer.headers] == [name for name, _ in expected.headers]
    assert "xxxx" not in answer.text
