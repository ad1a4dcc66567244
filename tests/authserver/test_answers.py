"""What every answer of the token endpoint keeps to, yes and no alike, and what a refusal leaves as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from smartapp.consent.grants.model import GrantState
from smartapp.settings import Apps
from tests.authserver.house import REDIRECT, AuthHouse, basic
from tests.support.databases import SqliteFiles


def _spent(house: AuthHouse) -> TestResponse:
    said = house.tokens()
    house.refresh(said["refresh_token"])
    house.clock.advance(11)
    return house.refresh(said["refresh_token"])


def _replayed(house: AuthHouse) -> TestResponse:
    app = house.app()
    form = house.form(house.code(house.grant(app)), app)
    house.ok(house.post("token", form))
    return house.post("token", form)


def _code(house: AuthHouse, **changed: str) -> TestResponse:
    app = house.app()
    return house.post("token", {**house.form(house.code(house.grant(app)), app), **changed})


def _service(house: AuthHouse, **form: str) -> TestResponse:
    app = house.backend()
    return house.post("token", house.asked_by(house.assertion(app.client_id), **form))


def _of_a_dead_grant(house: AuthHouse) -> TestResponse:
    app = house.app()
    grant = house.grant(app)
    code = house.code(grant)
    with house.ground.database.write() as session:
        house.grants.set_state(session, grant.id, GrantState.ENDED, kind="ended", by="patient")
    return house.post("token", house.form(code, app))


UNKNOWN = {"grant_type": "refresh_token", "refresh_token": "srt_unknown", "client_id": "nobody"}
ANSWERS: dict[str, tuple[Callable[[AuthHouse], TestResponse], int, str]] = {
    "code": (_code, 200, ""),
    "refresh": (lambda house: house.refresh(house.tokens()["refresh_token"]), 200, ""),
    "service": (_service, 200, ""),
    "unknown code": (lambda house: _code(house, code="sac_unknown"), 400, "invalid_grant"),
    "code of another": (lambda house: _code(house, client_id=house.app().client_id), 400, "invalid_grant"),
    "another redirect": (lambda house: _code(house, redirect_uri=REDIRECT + "2"), 400, "invalid_grant"),
    "another verifier": (lambda house: _code(house, code_verifier="x" * 43), 400, "invalid_grant"),
    "code again": (_replayed, 400, "invalid_grant"),
    "dead grant": (_of_a_dead_grant, 400, "invalid_grant"),
    "spent refresh": (_spent, 400, "invalid_grant"),
    "unknown refresh": (lambda house: house.refresh("srt_unknown"), 400, "invalid_grant"),
    "wider refresh": (
        lambda house: house.refresh(house.tokens()["refresh_token"], scope="patient/*.cruds"), 400, "invalid_scope"
    ),
    "service beyond": (lambda house: _service(house, scope="system/*.cruds"), 400, "invalid_scope"),
    "service unsigned": (lambda house: _service(house, client_assertion="a.b.c"), 401, "invalid_client"),
    "no client": (lambda house: _code(house, client_id="nobody"), 401, "invalid_client"),
    "nothing": (lambda house: house.post("token", {}), 400, "invalid_request"),
    "another type": (lambda house: _code(house, grant_type="password"), 400, "unsupported_grant_type"),
    "no hospital": (lambda house: house.post("token", UNKNOWN, provider="nowhere"), 404, "invalid_request"),
}  # fmt: skip


@pytest.mark.clause("RFC 6749", "5.1", "5.2")
@pytest.mark.clause("SMART 2.2 server", "86", "87", "251")
@pytest.mark.threat("O62")
@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_is_json_that_nobody_stores(house: AuthHouse, name: str) -> None:
    ask, status, error = ANSWERS[name]
    answer = ask(house)
    assert answer.status_code == status
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    said = answer.get_json()
    if error:
        assert said["error"] == error
        assert set(said) <= {"error", "error_description"}
    else:
        assert type(said["expires_in"]) is int
        assert said["token_type"] == "Bearer"


@pytest.mark.threat("O61")
def test_being_told_to_wait_is_not_stored_either(sqlite_files: SqliteFiles, tmp_path: Any) -> None:
    with sqlite_files.ready() as url:
        house = AuthHouse(url, tmp_path, apps_settings=Apps(failures_per_minute=1))
        made = house.registered("client_secret_basic")
        wrong = basic(made.app.client_id, "wrong")
        form = {"grant_type": "refresh_token", "refresh_token": "x"}
        answers = [house.post("token", form, headers=wrong) for _ in range(2)]
        assert [each.status_code for each in answers] == [401, 429]
        assert {each.headers["Cache-Control"] for each in answers} == {"no-store"}
        assert int(answers[1].headers["Retry-After"]) >= 1
        house.close()


@pytest.mark.clause("RFC 6749", "4.1.2", "4.1.3")
@pytest.mark.parametrize("wrong", ["", "x", "sac_", "sac_" + "a" * 43, "case"])
def test_an_unknown_code_uses_nothing_up(both: AuthHouse, wrong: str) -> None:
    """Not even one that is the right code in other letters: the code itself still buys what it was made for."""
    app = both.app()
    code = both.code(both.grant(app))
    shown = code.swapcase() if wrong == "case" else wrong
    refused = both.post("token", both.form(shown, app))
    assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_grant" if shown else "invalid_request")
    assert both.reads(both.ok(both.post("token", both.form(code, app)))["access_token"]) == 200


@pytest.mark.threat("O1")
@pytest.mark.threat("O4")
@pytest.mark.clause("RFC 6749", "4.1.2", "10.5")
@pytest.mark.parametrize("wrong", ["client", "redirect_uri", "code_verifier"])
def test_who_shows_a_redeemed_code_with_whatever_fault_ends_its_family(house: AuthHouse, wrong: str) -> None:
    """A thief who has the code, and not what goes with it, has the code all the same."""
    app = house.app()
    form = house.form(house.code(house.grant(app)), app)
    said = house.ok(house.post("token", form))
    other = {"client": {"client_id": house.app().client_id}, "redirect_uri": {"redirect_uri": "https://evil.example"}}
    shown = {**form, **other.get(wrong, {"code_verifier": "w" * 43})}
    assert house.post("token", shown).get_json()["error"] == "invalid_grant"
    assert house.reads(said["access_token"]) == 401
    assert house.refresh(said["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert "oauth.code.replay" in house.kinds("high")


@pytest.mark.clause("RFC 6749", "6")
@pytest.mark.clause("SMART 2.2 server", "103")
def test_a_public_app_refreshes_with_and_without_its_name(both: AuthHouse) -> None:
    app, other = both.app(), both.app()
    said = both.tokens(app)
    for more in ({}, {"client_id": app.client_id}, {}):
        both.clock.advance(11)
        following = both.ok(both.refresh(said["refresh_token"], **more))
        assert following["refresh_token"] != said["refresh_token"]
        assert type(following["expires_in"]) is int
        assert set(said) - {"id_token"} <= set(following)
        said = following
    refused = both.refresh(said["refresh_token"], client_id=other.client_id)
    assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_grant")
    assert both.refresh(said["refresh_token"], client_id="").status_code == 200
