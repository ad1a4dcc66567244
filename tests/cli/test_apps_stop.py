"""The operator's word over apps that are at work: it holds from the next request on, whatever was handed out."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartapp.bootstrap import apps_desk
from smartapp.errors import ConfigurationError
from smartapp.identity.apps.model import App
from tests.authserver.house import PROVIDER, REDIRECT, AuthHouse, basic
from tests.support.databases import SqliteFiles


@pytest.fixture(scope="module")
def house(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthHouse]:
    with sqlite_files.ready() as url:
        made = AuthHouse(url, tmp_path_factory.mktemp("stop"))
        yield made
        made.close()


def say(house: AuthHouse, action: str, app: App, **more: str) -> str:
    arguments = argparse.Namespace(action=action, client_id=app.client_id, **more)
    return "\n".join(apps_desk.lines(arguments, house.ground))


def asks(house: AuthHouse, app: App) -> int:
    return house.get(
        f"/{PROVIDER}/oauth/authorize", query_string={"client_id": app.client_id, "redirect_uri": REDIRECT}
    ).status_code


@pytest.mark.promise("B1")
@pytest.mark.threat("O32")
def test_a_suspension_stops_everything_at_once(database_url: str, tmp_path: Path) -> None:
    house = AuthHouse(database_url, tmp_path)
    stopped, other = house.app(), house.app()
    tokens, others = house.tokens(stopped), house.tokens(other)
    code = house.code(house.grant(stopped, person_id="per-ben"))
    assert house.reads(tokens["access_token"]) == 200
    told = say(house, "suspend", stopped, ground="security", reason="it leaks tokens")
    assert "open nothing from now on" in told
    for path in ("oauth/userinfo", "fhir/Patient/ana-canary", "dicomweb/studies"):
        answer = house.get(f"/{PROVIDER}/{path}", headers={"Authorization": f"Bearer {tokens['access_token']}"})
        assert answer.status_code == 401, path
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    refused = house.refresh(tokens["refresh_token"], client_id=stopped.client_id)
    assert refused.status_code in {400, 401}
    assert house.post("token", house.form(code, stopped)).status_code in {400, 401}
    assert asks(house, stopped) == 400
    assert house.reads(others["access_token"]) == 200
    assert house.refresh(others["refresh_token"], client_id=other.client_id).status_code == 200
    assert "app.decided" in house.kinds("high")
    house.close()


def test_a_suspended_app_is_told_that_nothing_is_left(house: AuthHouse) -> None:
    made = house.registered("client_secret_basic")
    assert made.client_secret is not None
    header = basic(made.app.client_id, made.client_secret)
    form = house.form(house.code(house.grant(made.app)), made.app)
    tokens = house.ok(house.post("token", form, headers=header))
    token = {"token": tokens["access_token"]}
    assert house.ok(house.post("introspect", token, headers=header))["active"] is True
    say(house, "suspend", made.app, ground="fraud", reason="it says it is the hospital's")
    assert house.ok(house.post("introspect", token, headers=header)) == {"active": False}
    refused = house.post(
        "token", {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}, headers=header
    )
    assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_grant")


def test_a_suspended_service_gets_no_token(house: AuthHouse) -> None:
    service = house.backend()
    say(house, "suspend", service, ground="security", reason="its key leaked")
    refused = house.post("token", house.asked_by(house.assertion(service.client_id)))
    assert refused.status_code in {400, 401}
    assert refused.get_json()["error"] in {"unauthorized_client", "invalid_client"}


def test_a_decision_is_made_once_and_in_order(house: AuthHouse) -> None:
    app = house.app()
    for action, more in (
        ("approve", {}),
        ("refuse", {"ground": "identity", "reason": "late"}),
        ("reinstate", {}),
    ):
        with pytest.raises(ConfigurationError):
            say(house, action, app, **more)
    say(house, "suspend", app, ground="security", reason="until it is mended")
    assert "works again" in say(house, "reinstate", app)
    assert "suspended" not in say(house, "show", app)


def test_a_limit_of_scope_holds_for_the_next_request(house: AuthHouse) -> None:
    app = house.app(scope="openid launch/patient patient/*.rs")
    say(house, "limit", app, scope="openid patient/ImagingStudy.rs?modality=CT")
    found = house.parts.apps.find(PROVIDER, app.client_id)
    assert found is not None
    assert set(found.scope.split()) == {"openid", "patient/ImagingStudy.rs?modality=CT"}
