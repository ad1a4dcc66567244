"""Whatever goes wrong below `/{provider}/oauth` is told to programs in JSON; people's browsers read a page."""

from collections.abc import Iterator

import pytest

from smartapp.web.parts import Parts
from tests.authserver.house import BASE, PROVIDER, AuthHouse
from tests.support.databases import SqliteFiles

DOORS = ("token", "introspect", "revoke", "register", "userinfo", "jwks")


@pytest.fixture(scope="module")
def house(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthHouse]:
    with sqlite_files.ready() as url:
        made = AuthHouse(url, tmp_path_factory.mktemp("errors"))
        yield made
        made.close()


@pytest.mark.clause("RFC 6749", "5.2")
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "BREW"])
def test_another_method_is_told_in_json(house: AuthHouse, door: str, method: str) -> None:
    answer = house.http.open(f"/{PROVIDER}/oauth/{door}", method=method, base_url=BASE)
    assert (answer.status_code, answer.mimetype) == (405, "application/json")
    assert answer.get_json()["error"] == "invalid_request"
    assert answer.headers["Allow"]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        f"/{PROVIDER}/oauth",
        f"/{PROVIDER}/oauth/",
        f"/{PROVIDER}/oauth/nothing",
        f"/{PROVIDER}/oauth/token/more",
        f"/{PROVIDER}/oauth/authorizes",
        f"/{PROVIDER}/.well-known/nothing",
        "/st-nowhere/oauth/jwks",
        "/st-nowhere/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/st-nowhere",
    ],
)
def test_an_unknown_address_is_told_in_json(house: AuthHouse, path: str) -> None:
    answer = house.get(path)
    assert (answer.status_code, answer.mimetype) == (404, "application/json")
    assert answer.get_json()["error"] == "invalid_request"


@pytest.mark.parametrize("door", DOORS[:4])
def test_an_unknown_hospital_has_no_door(house: AuthHouse, door: str) -> None:
    answer = house.post(door, {"token": "x"}, provider="st-nowhere")
    assert (answer.status_code, answer.mimetype) == (404, "application/json")


@pytest.mark.parametrize("path", ["authorize", "logout", "approve/none"])
def test_people_read_a_page(house: AuthHouse, path: str) -> None:
    for method in ("PUT", "GET"):
        answer = house.http.open(f"/{PROVIDER}/oauth/{path}", method=method, base_url=BASE)
        assert answer.status_code >= 300
        assert answer.mimetype == "text/html"
    assert house.http.put(f"/{PROVIDER}/oauth/authorize", base_url=BASE).status_code == 405


def test_our_own_fault_is_told_without_what_it_was(house: AuthHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_parts: Parts) -> None:
        raise LookupError("secret-canary")

    monkeypatch.setattr(type(house.parts.apps), "find", broken)
    answer = house.post("token", {"grant_type": "refresh_token", "client_id": "x", "refresh_token": "y"})
    assert (answer.status_code, answer.get_json()["error"]) == (503, "temporarily_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert "canary" not in answer.text
