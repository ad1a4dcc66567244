"""The token endpoint over HTTP, with the real stores."""

import json
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from smartapp.consent.grants.model import GrantState, Terms
from smartapp.consent.scopes.grammar import parse
from tests.authserver.house import ISSUER, PROVIDER, REDIRECT, SCOPE, AuthHouse, basic


def claims(house: AuthHouse, token: str, alg: str = "RS256") -> dict[str, Any]:
    """As a client reads an id_token: with the published keys only."""
    published = house.ok(house.get(f"/{PROVIDER}/oauth/jwks"))["keys"]
    keys = KeySet.import_key_set({"keys": [each for each in published if each["alg"] == alg]})
    found: dict[str, Any] = json.loads(jws.deserialize_compact(token, keys, algorithms=[alg]).payload)
    return found


@pytest.mark.clause("RFC 6749", "4.1.3", "5.1")
@pytest.mark.clause("RFC 7636", "4.5", "4.6")
@pytest.mark.clause(
    "SMART 2.2 server", "73", "74", "75", "76", "78", "80", "81", "82", "84", "86", "87", "88", "89", "91", "101",
    "149",
    "168", "169", "170", "172", "173", "175", "200", "31", "359", "360",
)  # fmt: skip
def test_a_code_buys_what_was_granted(both: AuthHouse) -> None:
    app = both.app()
    code = both.code(both.grant(app), fhir_context=("ImagingStudy/s1",), banner=False)
    answer = both.post("token", both.form(code, app))
    said = both.ok(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    assert answer.mimetype == "application/json"
    assert said["token_type"] == "Bearer"
    assert type(said["expires_in"]) is int
    assert 0 < said["expires_in"] <= 3600
    assert parse(said["scope"]) == parse(SCOPE)
    assert said["patient"] == "ana-canary"
    assert said["fhirContext"] == [{"reference": "ImagingStudy/s1"}]
    assert said["need_patient_banner"] is False
    assert said["access_grant_expiration"] == "2026-04-01T09:00:00+00:00"
    details = said["authorization_details"][0]
    assert details["type"] == "smart_on_fhir"
    assert details["locations"] == [f"{ISSUER}/fhir"]
    assert details["fhirVersions"] == ["4.0.1"]
    assert (details["images"], details["grant"].startswith("grt-")) == ("full", True)
    assert both.reads(said["access_token"]) == 200
    assert both.ok(both.refresh(said["refresh_token"]))["access_token"] != said["access_token"]
    style = both.get(said["smart_style_url"].removeprefix("http://127.0.0.1:8123"))
    assert both.ok(style)["color_text"].startswith("#")


@pytest.mark.clause("OpenID Connect Core", "2", "3.1.3.3", "12.2")
@pytest.mark.clause("SMART 2.2 server", "209", "210", "214")
@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_an_id_token_says_who_allowed_it_also_after_a_refresh(house: AuthHouse, alg: str) -> None:
    app = house.app(id_token_signed_response_alg=alg)
    first = house.tokens(app)
    house.clock.advance(60)
    second = house.ok(house.refresh(first["refresh_token"]))
    one, two = (claims(house, each["id_token"], alg) for each in (first, second))
    assert one["iss"] == ISSUER
    assert one["aud"] == app.client_id
    assert one["nonce"] == "n-1"
    assert one["fhirUser"] == f"{ISSUER}/fhir/Patient/ana-canary"
    assert one["exp"] > one["iat"] == one["auth_time"]
    assert {"acr", "amr", "sub"} <= one.keys()
    assert "ana" not in one["sub"]
    assert one | {"iat": 0, "exp": 0} == two | {"iat": 0, "exp": 0}
    assert two["iat"] == one["iat"] + 60
    told = house.get(f"/{PROVIDER}/oauth/userinfo", headers={"Authorization": f"Bearer {second['access_token']}"})
    assert house.ok(told) == {"sub": one["sub"], "fhirUser": one["fhirUser"]}
    assert claims(house, house.tokens(house.app())["id_token"])["sub"] == one["sub"]


@pytest.mark.clause("SMART 2.2 server", "89")
def test_without_openid_nobody_is_named(house: AuthHouse) -> None:
    said = house.tokens(scope="launch/patient patient/ImagingStudy.rs")
    assert "id_token" not in said
    assert "refresh_token" not in said
    assert house.reads(said["access_token"]) == 403


@pytest.mark.threat("O1")
@pytest.mark.clause("RFC 6749", "4.1.2", "10.5")
def test_a_code_shown_again_kills_what_it_bought(both: AuthHouse) -> None:
    app = both.app()
    form = both.form(both.code(both.grant(app)), app)
    said = both.ok(both.post("token", form))
    assert both.reads(said["access_token"]) == 200
    both.clock.advance(5)
    again = both.post("token", form)
    assert (again.status_code, again.get_json()["error"]) == (400, "invalid_grant")
    assert both.reads(said["access_token"]) == 401
    assert both.refresh(said["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert "oauth.code.replay" in both.kinds("high")


@pytest.mark.threat("O4")
@pytest.mark.threat("O9")
@pytest.mark.clause("RFC 7636", "4.1", "4.6")
@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uri": "https://app.example/other"},
        {"redirect_uri": REDIRECT.upper()},
        {"redirect_uri": REDIRECT + "/"},
        {"code_verifier": "w" * 43},
        {"code_verifier": "v" * 42},
        {"code_verifier": "v" * 129},
        {"code_verifier": "v" * 43 + "\n"},
        {"code_verifier": "v" * 42 + "\0"},
        {"code_verifier": "é" * 43},
    ],
)
def test_a_code_with_a_fault_beside_it_is_burned(house: AuthHouse, wrong: dict[str, str]) -> None:
    app = house.app()
    code = house.code(house.grant(app))
    refused = house.post("token", house.form(code, app, **wrong))
    assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_grant")
    assert house.post("token", house.form(code, app)).get_json()["error"] == "invalid_grant"
    assert "token.issued" not in house.kinds()


@pytest.mark.threat("O4")
@pytest.mark.threat("O8")
@pytest.mark.parametrize("empty", [True, False])
@pytest.mark.parametrize(
    ("missing", "kind"), [("redirect_uri", "oauth.code.redirect_mismatch"), ("code_verifier", "oauth.pkce.fail")]
)
def test_a_code_without_what_belongs_to_it_is_burned(house: AuthHouse, missing: str, kind: str, empty: bool) -> None:  # noqa: FBT001 -- parametrised
    app = house.app()
    form = house.form(house.code(house.grant(app)), app)
    without = {name: value for name, value in form.items() if name != missing}
    answer = house.post("token", {**without, missing: ""} if empty else without)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_grant")
    assert house.kinds()[-1] == kind
    assert house.post("token", form).get_json()["error"] == "invalid_grant"
    assert "token.issued" not in house.kinds()


@pytest.mark.clause("RFC 6749", "4.1.3", "5.2")
def test_without_a_code_nothing_is_used_up(house: AuthHouse) -> None:
    app = house.app()
    form = house.form(house.code(house.grant(app)), app)
    for without in ({**form, "code": ""}, {name: value for name, value in form.items() if name != "code"}):
        answer = house.post("token", without)
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
    assert house.post("token", form).status_code == 200


@pytest.mark.clause("RFC 6749", "4.1.3")
def test_a_code_is_for_one_client_and_one_hospital(house: AuthHouse) -> None:
    app, other = house.app(), house.app()
    code = house.code(house.grant(app))
    assert house.post("token", house.form(code, other)).get_json()["error"] == "invalid_grant"
    assert house.post("token", house.form(code, app)).get_json()["error"] == "invalid_grant"
    fresh = house.code(house.grant(house.app()))
    assert house.post("token", house.form(fresh, app), provider="st-mercy").status_code == 401
    assert house.post("token", house.form(fresh, app), provider="nowhere").status_code == 404


@pytest.mark.clause("RFC 6749", "3.2", "5.2")
@pytest.mark.clause("SMART 2.2 server", "73")
@pytest.mark.threat("O62")
@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": 'x"\\\r\n<script>'}, "unsupported_grant_type"),
        ({"grant_type": ["refresh_token", "refresh_token"], "refresh_token": "x"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "srt_x", "scope": ["a", "b"]}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "srt_unknown"}, "invalid_grant"),
        ({"grant_type": "authorization_code", "code": "x"}, "invalid_request"),
    ],
)
def test_errors_are_of_the_standard_and_repeat_nothing(house: AuthHouse, form: dict[str, Any], error: str) -> None:
    answer = house.post("token", form)
    assert (answer.status_code, answer.get_json()["error"]) == (400, error)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "<script" not in answer.text
    assert not set('"\\\r\n') & set(answer.get_json()["error_description"])


@pytest.mark.clause("RFC 6749", "2.3.1", "3.2")
def test_only_a_form_in_the_body_is_read(house: AuthHouse) -> None:
    app = house.app()
    form = house.form(house.code(house.grant(app)), app)
    for kwargs in (
        {"query_string": form},
        {"json": form},
        {"data": form, "content_type": "multipart/form-data"},
        {"data": "&".join(f"{name}={value}" for name, value in form.items()), "content_type": "text/plain"},
    ):
        answer = house.http.post(f"/{PROVIDER}/oauth/token", base_url="http://127.0.0.1:8123", **kwargs)
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
    assert house.get(f"/{PROVIDER}/oauth/token", query_string=form).status_code == 405
    assert house.post("token", form).status_code == 200


@pytest.mark.threat("O26")
@pytest.mark.clause("RFC 9700", "4.14.2")
@pytest.mark.clause("SMART 2.2 server", "109", "110", "111", "112", "113", "114", "116")
def test_a_spent_refresh_token_ends_its_family_after_the_grace(both: AuthHouse) -> None:
    first = both.tokens()
    second = both.ok(both.refresh(first["refresh_token"]))
    assert second["scope"] == first["scope"]
    assert (second["token_type"], type(second["expires_in"])) == ("Bearer", int)
    retry = both.ok(both.refresh(first["refresh_token"]))
    assert retry["refresh_token"] == second["refresh_token"]
    both.clock.advance(11)
    reused = both.refresh(first["refresh_token"])
    assert (reused.status_code, reused.get_json()["error"]) == (400, "invalid_grant")
    assert both.refresh(second["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert {both.reads(each["access_token"]) for each in (first, second, retry)} == {401}
    assert "oauth.refresh.reuse" in both.kinds("high")


@pytest.mark.threat("O29")
@pytest.mark.threat("O30")
@pytest.mark.clause("RFC 6749", "6")
@pytest.mark.clause("SMART 2.2 server", "104")
@pytest.mark.parametrize(
    "wider",
    [
        "patient/*.rs",
        "patient/ImagingStudy.cruds",
        "patient/DiagnosticReport.rs",
        "patient/ImagingStudy.rs",
        "user/ImagingStudy.rs?modality=CT",
        "patient/ImagingStudy.rs?modality=CT offline_access launch",
        "nonsense",
        " ",
    ],
)
def test_a_refresh_may_narrow_and_never_widen(house: AuthHouse, wider: str) -> None:
    granted = "patient/ImagingStudy.rs?modality=CT offline_access"
    app = house.app()
    grant = house.grant(app, terms=Terms(scopes=parse(granted), modalities=frozenset({"CT"})))
    said = house.ok(house.post("token", house.form(house.code(grant, granted), app)))
    refused = house.refresh(said["refresh_token"], scope=wider)
    assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_scope")
    assert "oauth.refresh.escalate" in house.kinds("high")
    narrow = house.ok(house.refresh(said["refresh_token"], scope="patient/ImagingStudy.s?modality=CT"))
    assert narrow["scope"] == "patient/ImagingStudy.s?modality=CT"
    again = house.ok(house.refresh(narrow["refresh_token"], scope=granted))
    assert parse(again["scope"]) == parse(granted)


@pytest.mark.threat("O31")
@pytest.mark.clause("RFC 6749", "6")
@pytest.mark.clause("SMART 2.2 server", "103")
def test_a_confidential_app_shows_itself_at_each_refresh(house: AuthHouse) -> None:
    made = house.registered("client_secret_basic")
    app, secret = made.app, made.client_secret or ""
    form = house.form(house.code(house.grant(app)), app)
    said = house.ok(house.post("token", form, headers=basic(app.client_id, secret)))
    refresh = {"grant_type": "refresh_token", "refresh_token": said["refresh_token"]}
    assert house.post("token", refresh).get_json()["error"] == "invalid_grant"
    assert house.post("token", {**refresh, "client_id": app.client_id}).status_code == 401
    other = house.registered("client_secret_basic")
    stolen = house.post("token", refresh, headers=basic(other.app.client_id, other.client_secret or ""))
    assert stolen.get_json()["error"] == "invalid_grant"
    assert "oauth.refresh.client_mismatch" in house.kinds("high")
    assert house.post("token", refresh, headers=basic(app.client_id, secret)).status_code == 200


@pytest.mark.threat("O32")
@pytest.mark.parametrize("state", [GrantState.ENDED, GrantState.SUSPENDED, GrantState.PAUSED, GrantState.NEEDS_SIGN_IN])
def test_a_refresh_follows_the_grant(house: AuthHouse, state: GrantState) -> None:
    app = house.app()
    grant = house.grant(app)
    said = house.ok(house.post("token", house.form(house.code(grant), app)))
    with house.ground.database.write() as session:
        house.grants.set_state(session, grant.id, state, kind="x", by="patient")
    held = state in {GrantState.PAUSED, GrantState.NEEDS_SIGN_IN}
    assert house.refresh(said["refresh_token"]).status_code == (200 if held else 400)
    assert house.reads(said["access_token"]) == (403 if held else 401)


@pytest.mark.threat("F13")
def test_a_database_that_is_busy_is_said_in_json(house: AuthHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    app = house.app()
    form = house.form(house.code(house.grant(app)), app)
    with house.ground.database.write() as session, monkeypatch.context() as patch:
        session.connection()  # holds the lock
        patch.setattr(house.ground.database._thread, "writing", False)
        answer = house.post("token", form)
    assert (answer.status_code, answer.get_json()["error"]) == (503, "temporarily_unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
    assert house.post("token", form).status_code == 200


@pytest.mark.clause("RFC 7591", "2")
@pytest.mark.clause("RFC 6749", "5.2")
def test_a_grant_type_that_was_not_registered_is_refused(house: AuthHouse) -> None:
    app = house.app(grant_types=("refresh_token",))
    answer = house.post("token", house.form(house.code(house.grant(app)), app))
    assert (answer.status_code, answer.get_json()["error"]) == (400, "unauthorized_client")


@pytest.mark.clause("SMART 2.2 server", "17")
def test_pages_of_registered_apps_may_read_the_answer(house: AuthHouse) -> None:
    app = house.app()
    form = house.form(house.code(house.grant(app)), app)
    own = house.post("token", form, headers={"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"})
    assert own.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Access-Control-Allow-Credentials" not in own.headers
    assert own.status_code == 200
    foreign = house.post("token", form, headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in foreign.headers
