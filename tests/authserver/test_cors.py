"""Whose pages may read what: everybody's the discovery, registered apps' what a token opens, and nobody's the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from werkzeug.test import TestResponse

from smartapp.identity.apps.model import AppState
from tests.authserver.house import BASE, PROVIDER, AuthHouse
from tests.support.databases import SqliteFiles

ORIGIN = "https://app.example"
TOKEN_DOORS = [
    ("POST", f"/{PROVIDER}/oauth/token"),
    ("POST", f"/{PROVIDER}/oauth/introspect"),
    ("POST", f"/{PROVIDER}/oauth/revoke"),
    ("GET", f"/{PROVIDER}/oauth/userinfo"),
    ("GET", f"/{PROVIDER}/fhir/ImagingStudy"),
    ("GET", f"/{PROVIDER}/fhir/ImagingStudy/1"),
    ("GET", f"/{PROVIDER}/dicomweb/studies"),
    ("GET", f"/{PROVIDER}/dicomweb/studies/1.2.3"),
    ("GET", f"/{PROVIDER}/dicomweb/studies/1.2.3/metadata"),
]
PUBLIC = [
    f"/{PROVIDER}/fhir/.well-known/smart-configuration",
    f"/{PROVIDER}/fhir/metadata",
    f"/{PROVIDER}/.well-known/openid-configuration",
    f"/{PROVIDER}/.well-known/oauth-authorization-server",
    f"/.well-known/oauth-authorization-server/{PROVIDER}",
]
CLOSED = [
    ("GET", f"/{PROVIDER}/oauth/authorize"),
    ("POST", f"/{PROVIDER}/oauth/authorize"),
    ("POST", f"/{PROVIDER}/oauth/register"),
    ("GET", f"/{PROVIDER}/oauth/logout"),
    ("GET", "/"),
    ("GET", "/my/apps"),
    ("GET", "/developers/"),
]


@pytest.fixture(scope="module")
def house(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthHouse]:
    """One app of `https://app.example`, at the first hospital; others that wait or were stopped."""
    with sqlite_files.ready() as url:
        made = AuthHouse(url, tmp_path_factory.mktemp("cors"))
        made.app()
        for state in AppState:
            made.registered(state=state, redirect_uris=(f"https://{state.value}.example/cb",))
        yield made
        made.close()


def asked(house: AuthHouse, method: str, path: str, origin: str) -> tuple[TestResponse, TestResponse]:
    """The browser's question, and the answer to the request itself: neither ever allows credentials."""
    wanted = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization"}
    leave = house.http.options(path, headers={"Origin": origin, **wanted}, base_url=BASE)
    answer = house.http.open(path, method=method, headers={"Origin": origin}, base_url=BASE)
    for each in (leave, answer):
        assert "Access-Control-Allow-Credentials" not in each.headers
    return leave, answer


@pytest.mark.clause("SMART 2.2 server", "17")
@pytest.mark.parametrize(("method", "path"), TOKEN_DOORS)
def test_a_registered_apps_pages_read_what_a_token_opens(house: AuthHouse, method: str, path: str) -> None:
    leave, answer = asked(house, method, path, ORIGIN)
    assert leave.status_code == 204
    assert method in leave.headers["Access-Control-Allow-Methods"].split(", ")
    assert "Authorization" in leave.headers["Access-Control-Allow-Headers"].split(", ")
    for each in (leave, answer):
        assert each.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "Origin" in each.headers["Vary"]
    assert answer.status_code in {400, 401}
    assert "WWW-Authenticate" in answer.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize(("method", "path"), TOKEN_DOORS)
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example", "http://app.example", "https://app.example:8443", "https://app.example.evil.example",
        "https://APP.example", "https://app.example/", "null", "*", "", "https://refused.example",
        "https://suspended.example", "https://deleted.example", "https://" + "a" * 400, "https://app.example\x00",
    ],
)  # fmt: skip
def test_nobody_elses_do(house: AuthHouse, method: str, path: str, origin: str) -> None:
    leave, answer = asked(house, method, path, origin)
    assert leave.status_code == 405
    for each in (leave, answer):
        assert "Access-Control-Allow-Origin" not in each.headers
    assert "Origin" in answer.headers["Vary"]


def test_an_app_is_registered_at_one_hospital(house: AuthHouse) -> None:
    for method, path in TOKEN_DOORS:
        leave, answer = asked(house, method, path.replace(PROVIDER, "st-mercy"), ORIGIN)
        assert leave.status_code == 405
        assert "Access-Control-Allow-Origin" not in {**leave.headers, **answer.headers}


def test_an_app_that_waits_may_be_tried_by_its_developer(house: AuthHouse) -> None:
    leave, _ = asked(house, *TOKEN_DOORS[0], "https://pending.example")
    assert leave.status_code == 204


@pytest.mark.clause("SMART 2.2 server", "16")
@pytest.mark.parametrize("path", PUBLIC)
@pytest.mark.parametrize("origin", [ORIGIN, "https://evil.example", "null"])
def test_everybodys_pages_read_the_discovery(house: AuthHouse, path: str, origin: str) -> None:
    leave, answer = asked(house, "GET", path, origin)
    assert (leave.status_code, answer.status_code) == (204, 200)
    for each in (leave, answer):
        assert each.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_no_page_reads_what_is_for_people(house: AuthHouse, method: str, path: str) -> None:
    for each in asked(house, method, path, ORIGIN):
        assert "Access-Control-Allow-Origin" not in each.headers
        assert "Access-Control-Allow-Methods" not in each.headers


def test_a_change_of_address_moves_the_leave(house: AuthHouse) -> None:
    app = house.app(redirect_uris=("https://before.example/cb",))
    assert asked(house, *TOKEN_DOORS[0], "https://before.example")[0].status_code == 204
    house.parts.apps.update(app, replace(app.metadata, redirect_uris=("https://after.example/cb",)))
    assert asked(house, *TOKEN_DOORS[0], "https://before.example")[0].status_code == 405
    assert asked(house, *TOKEN_DOORS[0], "https://after.example")[0].status_code == 204
