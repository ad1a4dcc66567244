"""Registration by programs (RFC 7591) and its management (RFC 7592), over HTTP: what is taken, and what is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey
from werkzeug.test import TestResponse

from smartapp.identity.apps.model import AppState
from smartapp.settings import Apps
from tests.authserver.house import BASE, ISSUER, JWKS, KEYS, PROVIDER, REDIRECT, AuthHouse, basic
from tests.support.databases import SqliteFiles

REGISTER = f"/{PROVIDER}/oauth/register"
APP: dict[str, Any] = {
    "client_name": "Scan reader",
    "redirect_uris": [REDIRECT],
    "grant_types": ["authorization_code", "refresh_token"],
    "token_endpoint_auth_method": "none",
    "scope": "launch/patient patient/ImagingStudy.rs",
}
SERVICE: dict[str, Any] = {
    "client_name": "Night shift",
    "grant_types": ["client_credentials"],
    "token_endpoint_auth_method": "private_key_jwt",
    "jwks": JWKS,
    "scope": "system/ImagingStudy.rs",
}
Json = dict[str, Any]


@pytest.fixture(scope="module")
def house(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthHouse]:
    """One for all that leave time and settings as they are."""
    with sqlite_files.ready() as url:
        made = AuthHouse(url, tmp_path_factory.mktemp("register"), Apps(registrations_per_hour=100_000))
        yield made
        made.close()


def send(house: AuthHouse, said: Any, **headers: str) -> TestResponse:
    body = said if isinstance(said, str) else json.dumps(said)
    return house.http.post(REGISTER, data=body, content_type="application/json", base_url=BASE, headers=headers)


def made(house: AuthHouse, **changed: Any) -> Json:
    answer = send(house, {**APP, **changed})
    assert answer.status_code == 201, answer.text
    found: Json = answer.get_json()
    return found


def refused(house: AuthHouse, said: Any, error: str = "invalid_client_metadata") -> str:
    """What is said of a registration that is refused; nothing was registered, and that was written down."""
    before = len(house.parts.apps.list())
    answer = send(house, said)
    assert (answer.status_code, answer.mimetype) == (400, "application/json"), answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.get_json()["error"] == error
    assert len(house.parts.apps.list()) == before
    told: str = answer.get_json()["error_description"]
    return told


def manage(house: AuthHouse, method: str, app: Json, said: Any = None, *, token: str | None = None) -> TestResponse:
    """A request to the registration's own address."""
    path = str(app["registration_client_uri"]).removeprefix(BASE)
    bearer = token if token is not None else app["registration_access_token"]
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    return house.http.open(path, method=method, json=said, base_url=BASE, headers=headers)


@pytest.mark.promise("B1")
@pytest.mark.clause("RFC 7591", "3.2.1")
@pytest.mark.clause("SMART 2.2 server", "24")
def test_an_app_is_told_all_that_was_registered(both: AuthHouse) -> None:
    told = made(both, contacts=["dev@app.example"], policy_uri="https://app.example/policy", unknown_name="ignored")
    assert told["client_id_issued_at"] == int(both.clock.now().timestamp())
    assert told["registration_client_uri"] == f"{ISSUER}/oauth/register/{told['client_id']}"
    assert told["registration_state"] == "active"
    assert "client_secret" not in told
    assert "unknown_name" not in told
    for name in ("redirect_uris", "grant_types", "scope", "client_name", "token_endpoint_auth_method"):
        assert told[name] == APP[name]
    shown = manage(both, "GET", told)
    assert shown.status_code == 200
    assert shown.get_json() == told
    assert both.kinds().count("dcr.registered") == 1


@pytest.mark.clause("RFC 7591", "2", "3.2.1")
def test_what_is_left_out_has_its_default(house: AuthHouse) -> None:
    told = send(house, {"client_name": "An app", "redirect_uris": [REDIRECT]}).get_json()
    assert told["grant_types"] == ["authorization_code"]
    assert told["response_types"] == ["code"]
    assert told["token_endpoint_auth_method"] == "client_secret_basic"
    assert "offline_access" not in told["scope"].split()
    assert told["client_secret_expires_at"] == 0
    authenticated = house.post("revoke", {"token": "x"}, headers=basic(told["client_id"], told["client_secret"]))
    assert authenticated.status_code == 200


@pytest.mark.threat("O55")
@pytest.mark.parametrize(
    "scope",
    ["patient/*.cruds patient/ImagingStudy.rs", "patient/ImagingStudy.* user/*.rs", "patient/ImagingStudy.read"],
)
def test_a_scope_is_cut_to_the_offer(house: AuthHouse, scope: str) -> None:
    told = made(house, scope=scope)["scope"].split()
    assert all(each.startswith("patient/") and each.endswith((".rs", ".read")) for each in told)


@pytest.mark.threat("O55")
@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"scope": "system/*.rs"}, "invalid_client_metadata"),
        ({"scope": "system/*.cruds patient/*.rs"}, "invalid_client_metadata"),
        ({"scope": "user/*.rs"}, "invalid_client_metadata"),
        ({"scope": "patient/ImagingStudy.sr"}, "invalid_client_metadata"),
        ({"scope": "launch/patient"}, "invalid_client_metadata"),
        ({"scope": "x" * 5000}, "invalid_client_metadata"),
        ({"scope": ["patient/*.rs"]}, "invalid_client_metadata"),
        ({"grant_types": ["password"]}, "invalid_client_metadata"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata"),
        ({"grant_types": ["refresh_token"], "redirect_uris": []}, "invalid_client_metadata"),
        (
            {"token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "client_credentials"]},
            "invalid_client_metadata",
        ),
        ({"grant_types": "authorization_code"}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"response_types": ["code", "id_token"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "client_secret_post"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": 5}, "invalid_client_metadata"),
        ({"client_name": ""}, "invalid_client_metadata"),
        ({"client_name": None}, "invalid_client_metadata"),
        ({"client_name": "<script>alert(1)</script>"}, "invalid_client_metadata"),
        ({"client_name": "An \u202eppa"}, "invalid_client_metadata"),
        ({"client_name": "An app\u200b"}, "invalid_client_metadata"),
        ({"client_name": "n" * 81}, "invalid_client_metadata"),
        ({"client_name": "---"}, "invalid_client_metadata"),
        ({"client_name": "A  HOSPITAL!"}, "invalid_client_metadata"),
        ({"client_name": "Á hospital"}, "invalid_client_metadata"),
        ({"logo_uri": "http://app.example/logo.png"}, "invalid_client_metadata"),
        ({"logo_uri": "javascript:alert(1)"}, "invalid_client_metadata"),
        ({"logo_uri": "data:image/svg+xml,<svg/>"}, "invalid_client_metadata"),
        ({"policy_uri": "https://user@app.example/"}, "invalid_client_metadata"),
        ({"tos_uri": "https://app.example/#x"}, "invalid_client_metadata"),
        ({"client_uri": "https://10.0.0.1/"}, "invalid_client_metadata"),
        ({"launch_uri": "ftp://app.example/launch"}, "invalid_client_metadata"),
        ({"contacts": ["nobody"]}, "invalid_client_metadata"),
        ({"contacts": ["a@b.example\nBcc: x@y.example"]}, "invalid_client_metadata"),
        ({"contacts": [f"a{n}@b.example" for n in range(6)]}, "invalid_client_metadata"),
        ({"id_token_signed_response_alg": "none"}, "invalid_client_metadata"),
        ({"id_token_signed_response_alg": "HS256"}, "invalid_client_metadata"),
        ({"software_statement": "eyJhbGciOiJub25lIn0.e30."}, "invalid_software_statement"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": [f"https://app.example/{n}" for n in range(500)]}, "invalid_client_metadata"),
    ],
)
def test_metadata_that_is_refused(house: AuthHouse, changed: Json, error: str) -> None:
    told = refused(house, {**APP, **changed}, error)
    assert told.startswith(next(iter(changed)))
    assert house.kinds()[-1] == "dcr.reject"


@pytest.mark.threat("O15")
@pytest.mark.threat("O16")
@pytest.mark.threat("O55")
@pytest.mark.clause("RFC 9700", "2.1", "4.1.1")
@pytest.mark.parametrize(
    "uri",
    [
        "http://app.example/cb",
        "http://10.0.0.1/cb",
        "http://127.0.0.1.app.example/cb",
        "http://2130706433/cb",
        "https://app.example@evil.example/cb",
        "https://app.example\\@evil.example/cb",
        "https://*.app.example/cb",
        "https://a\\@b/cb",
        "https://app.example/cb#fragment",
        "https://app.example/a/../cb",
        "https://app.example/%2e%2e/cb",
        "https://App.example/cb",
        "HTTPS://app.example/cb",
        "https://app.example:443/cb",
        "https://app.example./cb",
        "https://аpp.example/cb",  # the first letter is Cyrillic
        " https://app.example/cb",
        "https://app.example/cb\n",
        "https://app.example/c b",
        "https://app.example/%00",
        "https://app.example/cb?code=x",
        "https://app.example/cb?state=",
        "//app.example/cb",
        "app.example/cb",
        "com.example.app:/cb",
        "javascript:alert(1)//",
        "data:text/html,x",
        "file:///etc/passwd",
        "urn:ietf:wg:oauth:2.0:oob",
        "",
        "https://app.example/" + "x" * 1000,
    ],
)
def test_redirect_uris_are_https_or_the_readers_own_machine(house: AuthHouse, uri: str) -> None:
    """A scheme of an app's own is anybody's who installs an app with it (RFC 8252 §8.6); a domain is its owner's."""
    told = refused(house, {**APP, "redirect_uris": [REDIRECT, uri]}, _kind(uri))
    assert told.startswith("redirect_uris")
    told = refused(house, {**APP, "post_logout_redirect_uris": [uri]}, _kind(uri))
    assert told.startswith("post_logout_redirect_uris")


def _kind(uri: str) -> str:
    """What cannot be shown or is too long is no string of ours at all."""
    return "invalid_client_metadata" if len(uri) > 1000 or not uri.isprintable() else "invalid_redirect_uri"


@pytest.mark.clause("RFC 8252", "7.3")
@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1/cb",
        "http://[::1]/cb",
        "http://127.0.0.1:8400/cb",
        "http://localhost:3000/cb",
        f"{REDIRECT}?t=1",
    ],
)
def test_redirect_uris_that_are_taken(house: AuthHouse, uri: str) -> None:
    assert made(house, redirect_uris=[uri])["redirect_uris"] == [uri]


@pytest.mark.threat("O46")
@pytest.mark.threat("O55")
@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "null",
        '"text"',
        "{",
        '{"client_name":"a","client_name":"b","redirect_uris":["https://app.example/cb"]}',
        "[" * 100_00 + "]" * 100_00,
        '{"client_name":NaN}',
        "\ufeff{}",
    ],
)
def test_a_body_is_one_plain_object(house: AuthHouse, body: str) -> None:
    refused(house, body)


def test_a_body_of_another_type_or_size_is_not_read(house: AuthHouse) -> None:
    before = len(house.parts.apps.list())
    as_form = house.http.post(REGISTER, data={"client_name": "x"}, base_url=BASE)
    assert (as_form.status_code, as_form.get_json()["error"]) == (400, "invalid_client_metadata")
    assert send(house, {**APP, "tos_uri": "x" * 1_000_000}).status_code == 413
    assert len(house.parts.apps.list()) == before


@pytest.mark.threat("O50")
@pytest.mark.parametrize(
    "jwks_uri",
    [
        "https://127.1/keys", "https://0/keys", "https://2130706433/keys", "https://0x7f.1/keys",
        "https://[::ffff:10.0.0.1]/keys", "https://169.254.169.254/keys", "https://10.1.2.3/keys",
        "https://100.64.0.1/keys", "https://localhost./keys", "https://metadata.internal/keys", "https://host/keys",
        "http://app.example/keys", "file:///etc/passwd", "gopher://app.example/keys", "https://app.example:22/keys",
        "https://app.example:6379/../keys", "https://u:p@app.example/keys", "https://app.example/keys#x",
    ],
)  # fmt: skip
def test_keys_are_fetched_from_public_addresses_only(
    house: AuthHouse, monkeypatch: pytest.MonkeyPatch, jwks_uri: str
) -> None:
    monkeypatch.setattr(type(house.parts.public_door), "get", lambda *_a, **_k: pytest.fail("asked outside"))
    keyed = {**APP, "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": jwks_uri}
    assert refused(house, keyed).startswith("jwks_uri")


RSA_512 = {"kty": "RSA", "kid": "r", "n": "x" * 86, "e": "AQAB"}
POINT = KEYS["ES256"].as_dict(private=False)


@pytest.mark.threat("O51")
@pytest.mark.threat("O55")
@pytest.mark.clause("RFC 7591", "2")
@pytest.mark.parametrize(
    "keys",
    [
        {"jwks": JWKS, "jwks_uri": "https://app.example/keys"},
        {},
        {"jwks": {"keys": []}},
        {"jwks": {"keys": "x"}},
        {"jwks": []},
        {"jwks": {"keys": [RSAKey.generate_key(2048, {"kid": "p"}).as_dict(private=True)]}},
        {"jwks": {"keys": [ECKey.generate_key("P-384", {"kid": "p"}).as_dict(private=True)]}},
        {"jwks": {"keys": [OctKey.generate_key(256, {"kid": "s"}).as_dict(private=True)]}},
        {"jwks": {"keys": [RSA_512]}},
        {"jwks": {"keys": [{**KEYS["RS384"].as_dict(private=False), "e": "AQ"}]}},
        {"jwks": {"keys": [{"kty": "RSA", "kid": "huge", "n": "_" * 1400, "e": "AQAB"}]}},
        {"jwks": {"keys": [ECKey.generate_key("P-521", {"kid": "c"}).as_dict(private=False)]}},
        {"jwks": {"keys": [{**POINT, "x": POINT["y"]}]}},
        {"jwks": {"keys": [{**POINT, "kid": None}]}},
        {"jwks": {"keys": [{name: value for name, value in POINT.items() if name != "kid"}]}},
        {"jwks": {"keys": [POINT, POINT]}},
        {"jwks": {"keys": [{**POINT, "kid": f"k{n}"} for n in range(11)]}},
        {"jwks": {"keys": [{**POINT, "use": "enc"}]}},
        {"jwks": {"keys": [{**POINT, "key_ops": ["sign"]}]}},
        {"jwks": {"keys": [{**POINT, "kid": "' OR 1=1"}]}},
    ],
)  # fmt: skip
def test_keys_are_public_strong_and_said_once(house: AuthHouse, keys: Json) -> None:
    assert refused(house, {**SERVICE, "jwks": None, **keys}).startswith("jwks")


def test_keys_without_their_method_are_refused(house: AuthHouse) -> None:
    assert refused(house, {**APP, "jwks": JWKS}).startswith("jwks")
    assert refused(house, {**APP, "jwks_uri": "https://app.example/keys"}).startswith("jwks_uri")


@pytest.mark.clause("SMART 2.2 server", "344")
@pytest.mark.clause("RFC 7591", "2")
def test_a_service_has_a_key_and_never_a_secret(house: AuthHouse) -> None:
    told = send(house, SERVICE).get_json()
    assert "client_secret" not in told
    assert (told["response_types"], told["scope"]) == ([], "system/ImagingStudy.rs")
    for method in ("client_secret_basic", "none"):
        refused(house, {**SERVICE, "token_endpoint_auth_method": method, "jwks": None})
    refused(house, {**SERVICE, "redirect_uris": [REDIRECT]}, "invalid_redirect_uri")


@pytest.mark.threat("O62")
def test_nothing_that_was_sent_comes_back_in_an_error(house: AuthHouse) -> None:
    hostile = 'canary"\\\r\n<x>'
    for name in ("client_name", "scope", "redirect_uris", "logo_uri", "grant_types", "contacts", "software_id"):
        value = [hostile] if name in {"redirect_uris", "grant_types", "contacts"} else hostile
        answer = send(house, {**APP, name: value})
        assert answer.status_code == 400, name
        assert "canary" not in answer.text + str(answer.headers)


# --- how many, and with which leave ---


@pytest.mark.threat("O54")
def test_registrations_from_one_address_are_counted(database_url: str, tmp_path: Path) -> None:
    house = AuthHouse(database_url, tmp_path, Apps(registrations_per_hour=3))
    made(house)
    refused(house, "{}")
    made(house)
    for _ in range(2):
        answer = send(house, APP)
        assert (answer.status_code, answer.mimetype) == (429, "application/json")
        assert set(answer.get_json()) == {"error", "error_description"}
        assert 0 < int(answer.headers["Retry-After"]) <= 3600
        assert answer.headers["Cache-Control"] == "no-store"
    assert len(house.parts.apps.list()) == 2
    assert house.kinds()[-2:] == ["dcr.registered", "dcr.ratelimit"]  # the second refusal is counted, not written
    from_elsewhere = house.http.post(REGISTER, json=APP, base_url=BASE, environ_base={"REMOTE_ADDR": "127.0.0.9"})
    assert from_elsewhere.status_code == 201
    house.clock.advance(int(answer.headers["Retry-After"]))
    made(house)
    house.close()


@pytest.mark.threat("O54")
@pytest.mark.clause("RFC 7591", "3")
def test_an_initial_access_token_counts_once(database_url: str, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("first-token\n\nsecond-token\n")
    house = AuthHouse(database_url, tmp_path, Apps(registration="token", registration_token_file=tokens))
    for headers in (
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer third"},
        {"Authorization": "Basic Zmlyc3Q="},
    ):
        answer = send(house, APP, **headers)
        assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_token")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    in_query = house.http.post(f"{REGISTER}?access_token=first-token", json=APP, base_url=BASE)
    assert in_query.status_code in {400, 401}
    refused_by_policy = send(house, {**APP, "client_name": ""}, Authorization="Bearer first-token")
    assert refused_by_policy.status_code == 400  # and the token is not spent
    assert send(house, APP, Authorization="Bearer first-token").status_code == 201
    assert send(house, APP, Authorization="Bearer first-token").status_code == 401
    elsewhere = house.http.post(
        "/st-mercy/oauth/register", json=APP, base_url=BASE, headers={"Authorization": "Bearer first-token"}
    )
    assert elsewhere.status_code == 401
    assert send(house, APP, Authorization="Bearer second-token").status_code == 201
    assert house.kinds().count("dcr.token") == 6
    house.close()


# --- RFC 7592 ---


@pytest.mark.threat("O56")
@pytest.mark.clause("RFC 7592", "2", "2.1", "2.2", "2.3")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_registration_token_manages_its_own_app_only(both: AuthHouse, method: str) -> None:
    one, other = made(both), made(both, client_name="Other app")
    said = {**APP, "client_id": one["client_id"], "client_name": "Taken over"} if method == "PUT" else None
    for token in (other["registration_access_token"], "", "srg_unknown", one["client_id"]):
        answer = manage(both, method, one, said, token=token)
        assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_token")
    assert both.kinds("high") == ["dcr.idor"]
    path = str(one["registration_client_uri"]).removeprefix(BASE)
    token = one["registration_access_token"]
    in_query = both.http.open(f"{path}?access_token={token}", method=method, json=said, base_url=BASE)
    assert in_query.status_code == 401
    twice = both.http.open(
        path, method=method, json=said, base_url=BASE, headers=[("Authorization", f"Bearer {token}")] * 2
    )
    assert twice.status_code == 401
    elsewhere = path.replace(PROVIDER, "st-mercy")
    there = both.http.open(
        elsewhere, method=method, json=said, base_url=BASE, headers={"Authorization": f"Bearer {token}"}
    )
    assert there.status_code == 401
    assert manage(both, "GET", one).get_json() == one


@pytest.mark.clause("RFC 7592", "2.2")
def test_a_change_puts_everything_anew(house: AuthHouse) -> None:
    app = made(house, policy_uri="https://app.example/policy")
    answer = manage(house, "PUT", app, {**APP, "client_id": app["client_id"], "client_name": "Renamed"})
    assert answer.status_code == 200, answer.text
    assert answer.get_json()["client_name"] == "Renamed"
    assert "policy_uri" not in answer.get_json()
    assert manage(house, "GET", app).get_json() == answer.get_json()


@pytest.mark.clause("RFC 7592", "2.2")
@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "app-other"},
        {"client_id": None},
        {"client_secret": "of-my-own-choice"},
        {"registration_access_token": "x"},
        {"registration_client_uri": "https://evil.example/"},
        {"client_secret_expires_at": 0},
        {"client_id_issued_at": 1},
        {"redirect_uris": ["http://app.example/cb"]},
    ],
)
def test_a_change_sets_nothing_that_is_ours(house: AuthHouse, changed: Json) -> None:
    app = made(house)
    answer = manage(house, "PUT", app, {**APP, "client_id": app["client_id"], "client_name": "Renamed", **changed})
    assert answer.status_code == 400
    assert answer.get_json()["error"] in {"invalid_client_metadata", "invalid_redirect_uri"}
    assert manage(house, "GET", app).get_json() == app


def test_another_method_brings_a_secret_and_takes_it_away(house: AuthHouse) -> None:
    app = made(house)
    said = {**APP, "client_id": app["client_id"], "token_endpoint_auth_method": "client_secret_basic"}
    secret = manage(house, "PUT", app, said).get_json()["client_secret"]
    assert house.post("revoke", {"token": "x"}, headers=basic(app["client_id"], secret)).status_code == 200
    kept = manage(house, "PUT", app, {**said, "client_secret": secret, "client_uri": "https://app.example/"})
    assert (kept.status_code, "client_secret" in kept.get_json()) == (200, False)
    assert house.post("revoke", {"token": "x"}, headers=basic(app["client_id"], secret)).status_code == 200
    manage(house, "PUT", app, {**said, "token_endpoint_auth_method": "none"})
    assert house.post("revoke", {"token": "x"}, headers=basic(app["client_id"], secret)).status_code == 401


@pytest.mark.clause("RFC 7592", "2.3")
def test_a_deleted_app_holds_nothing_any_more(both: AuthHouse) -> None:
    app = made(both, scope="openid patient/*.rs offline_access launch/patient fhirUser")
    found = both.parts.apps.find(PROVIDER, app["client_id"])
    assert found is not None
    tokens = both.tokens(found)
    assert both.reads(tokens["access_token"]) == 200
    assert manage(both, "DELETE", app).status_code == 204
    assert both.reads(tokens["access_token"]) == 401
    assert both.refresh(tokens["refresh_token"], client_id=app["client_id"]).status_code in {400, 401}
    for method in ("GET", "PUT", "DELETE"):
        assert manage(both, method, app, APP if method == "PUT" else None).status_code == 401
    assert both.get(f"/{PROVIDER}/oauth/authorize?client_id={app['client_id']}").status_code == 400


# --- where the operator looks at apps first ---


@pytest.fixture(scope="module")
def real_house(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthHouse]:
    """Not a sandbox."""
    with sqlite_files.ready() as url:
        made = AuthHouse(url, tmp_path_factory.mktemp("real"), environment="production")
        yield made
        made.close()


def decided(house: AuthHouse, app: Json, state: AppState, ground: str = "") -> None:
    house.parts.apps.decide(PROVIDER, app["client_id"], state, ground=ground, by="operator")


@pytest.mark.threat("O54")
def test_a_new_app_waits_for_the_operator(real_house: AuthHouse) -> None:
    app = made(real_house)
    assert app["registration_state"] == "pending"
    page = real_house.get(
        f"/{PROVIDER}/oauth/authorize", query_string={"client_id": app["client_id"], "redirect_uri": REDIRECT}
    )
    assert page.status_code == 400
    assert "unauthorized_client" in page.text
    assert "Location" not in page.headers
    refused(real_house, {**APP, "redirect_uris": ["https://app.example/cb"], "logo_uri": "http://127.0.0.1/x"})


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ({"client_name": "Another name"}, True),
        ({"redirect_uris": [REDIRECT, "https://elsewhere.example/cb"]}, True),
        ({"redirect_uris": [REDIRECT, "https://app.example/second"]}, False),
        ({"scope": "patient/*.rs"}, True),
        ({"client_uri": "https://elsewhere.example/"}, True),
        ({"launch_uri": "https://app.example/launch"}, True),
        ({"token_endpoint_auth_method": "private_key_jwt", "jwks": JWKS}, True),
        ({"token_endpoint_auth_method": "client_secret_basic"}, True),
        ({"contacts": ["dev@app.example"]}, False),
        ({"tos_uri": "https://app.example/terms"}, False),
    ],
)
def test_what_the_operator_looked_at_is_looked_at_again(real_house: AuthHouse, changed: Json, *, again: bool) -> None:
    app = made(real_house)
    decided(real_house, app, AppState.ACTIVE)
    told = manage(real_house, "PUT", app, {**APP, "client_id": app["client_id"], **changed}).get_json()
    assert told["registration_state"] == ("pending" if again else "active")


def test_a_change_undoes_no_suspension(real_house: AuthHouse) -> None:
    app = made(real_house)
    decided(real_house, app, AppState.SUSPENDED, "security: leaks tokens")
    told = manage(real_house, "PUT", app, {**APP, "client_id": app["client_id"], "client_name": "New name"}).get_json()
    assert told["registration_state"] == "suspended"


def test_a_refused_app_may_try_again(real_house: AuthHouse) -> None:
    app = made(real_house)
    decided(real_house, app, AppState.REFUSED, "identity: not whose it says")
    told = manage(real_house, "PUT", app, {**APP, "client_id": app["client_id"]}).get_json()
    assert told["registration_state"] == "pending"
