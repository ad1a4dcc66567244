"""Who a client is: by its registered method, at every endpoint; and what an assertion must be."""

import hmac
import json
from base64 import b64encode, urlsafe_b64encode
from typing import Any

import pytest

from smartapp.errors import UpstreamMalformed
from smartapp.identity.apps.model import App
from smartapp.outbound.answer import Answer
from smartapp.outbound.public import BLOCKED
from smartapp.settings import Apps
from tests.authserver.house import BEARER, ISSUER, JWKS, KEYS, TOKEN, AuthHouse, basic, signed
from tests.support.databases import SqliteFiles


def refused(house: AuthHouse, assertion: str, **form: str) -> str:
    """The audit row of an assertion that is refused."""
    answer = house.post("token", house.asked_by(assertion, **form))
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
    assert "token.issued" not in house.kinds()
    return house.kinds()[-1]


@pytest.mark.threat("O48")
@pytest.mark.clause("RFC 7523", "3")
@pytest.mark.clause(
    "SMART 2.2 server", "249", "253", "254", "255", "256", "257", "258", "261", "262", "248", "297", "310", "311",
    "335", "337", "326",
)  # fmt: skip
@pytest.mark.parametrize("alg", list(KEYS))
@pytest.mark.parametrize("aud", [TOKEN, ISSUER])
def test_a_signed_assertion_buys_a_short_token(both: AuthHouse, alg: str, aud: str) -> None:
    app = both.backend()
    if alg == "EdDSA":  # the name that clients write (RFC 8037 §3.1)
        now = int(both.clock.now().timestamp())
        claims = {"iss": app.client_id, "sub": app.client_id, "aud": aud, "exp": now + 240, "jti": "j"}
        assertion = signed({"alg": "EdDSA", "kid": "ed"}, claims, "EdDSA")
    else:
        assertion = both.assertion(app.client_id, alg, aud=aud)
    said = both.ok(both.post("token", both.asked_by(assertion)))
    assert set(said) == {"access_token", "token_type", "expires_in", "scope"}
    assert (said["token_type"], said["scope"]) == ("Bearer", "system/ImagingStudy.rs")
    assert 0 < said["expires_in"] <= 300


@pytest.mark.threat("O39")
@pytest.mark.parametrize("alg", ["none", "nOnE", "HS256", "RS256", "ES512", "", None, 5, ["RS384"]])
def test_other_algorithms_are_refused(house: AuthHouse, alg: Any) -> None:
    app = house.backend()
    _, claims, signature = house.assertion(app.client_id).split(".")
    head = signed({"alg": alg, "kid": "rsa"}, {}).split(".")[0]
    assert refused(house, f"{head}.{claims}.{signature}") == "client.auth.alg"
    assert refused(house, f"{head}.{claims}.") == "client.auth.alg"
    assert "client.auth.alg" in house.kinds("high")


@pytest.mark.threat("O39")
def test_a_public_key_is_no_shared_secret(house: AuthHouse) -> None:
    app = house.backend()
    payload = json.dumps({"iss": app.client_id, "sub": app.client_id, "aud": TOKEN, "exp": 9**9, "jti": "x"})
    head = signed({"alg": "HS256", "kid": "rsa"}, payload.encode()).rpartition(".")[0]
    for secret in (KEYS["RS384"].as_pem(private=False), json.dumps(JWKS["keys"][0]).encode(), b""):
        mac = urlsafe_b64encode(hmac.digest(secret, head.encode(), "sha256")).rstrip(b"=").decode()
        assert refused(house, f"{head}.{mac}") == "client.auth.alg"


@pytest.mark.threat("O40")
@pytest.mark.clause("SMART 2.2 server", "338")
@pytest.mark.parametrize("kid", ["../../dev/null", "' OR 1=1", None, "", "unknown", 7, "p384", "k" * 256])
def test_a_key_is_named_exactly(house: AuthHouse, kid: Any) -> None:
    app = house.backend()
    _, claims, _ = house.assertion(app.client_id).split(".")
    header = {"alg": "RS384"} if kid is None else {"alg": "RS384", "kid": kid}
    now = int(house.clock.now().timestamp())
    said = {"iss": app.client_id, "sub": app.client_id, "aud": TOKEN, "exp": now + 9, "jti": "x"}
    assert refused(house, signed(header, said)) == "client.auth.kid"
    assert claims


@pytest.mark.threat("O40")
@pytest.mark.clause("SMART 2.2 server", "338")
def test_two_keys_of_one_name_are_none(house: AuthHouse) -> None:
    twice = {"keys": [*JWKS["keys"], {**JWKS["keys"][1], "kid": "rsa"}]}
    app = house.backend(jwks=twice)
    assert refused(house, house.assertion(app.client_id)) == "client.auth.kid"


@pytest.mark.threat("O41")
@pytest.mark.threat("O42")
@pytest.mark.clause("SMART 2.2 server", "338")
@pytest.mark.parametrize(
    ("extra", "kind"),
    [
        ({"jku": "https://evil.example/keys"}, "client.auth.header"),
        ({"x5u": "https://evil.example/cert"}, "client.auth.header"),
        ({"jwk": KEYS["RS384"].as_dict(private=False)}, "client.auth.header"),
        ({"x5c": ["MII"]}, "client.auth.header"),
        ({"typ": "at+jwt"}, "client.auth.header"),
        ({"typ": 5}, "client.auth.header"),
        ({"crit": ["foo"]}, "client.auth.crit"),
        ({"crit": []}, "client.auth.crit"),
        ({"b64": False}, "client.auth.crit"),
        ({"cty": "JWT"}, "client.auth.crit"),
    ],
)
def test_a_header_brings_no_key_and_no_extension(
    house: AuthHouse, monkeypatch: pytest.MonkeyPatch, extra: Any, kind: str
) -> None:
    monkeypatch.setattr(type(house.parts.public_door), "get", lambda *_a, **_k: pytest.fail("asked outside"))
    app = house.backend()
    now = int(house.clock.now().timestamp())
    said = {"iss": app.client_id, "sub": app.client_id, "aud": TOKEN, "exp": now + 9, "jti": "x"}
    assert refused(house, signed({"alg": "RS384", "kid": "rsa", **extra}, said)) == kind


@pytest.mark.threat("O43")
@pytest.mark.parametrize(
    "changed",
    [
        {"exp": -61},
        {"exp": 301},
        {"exp": 10 * 365 * 86400},
        {"nbf": 61},
        {"iat": 3600},
    ],
)
def test_an_assertion_lives_five_minutes_at_most(house: AuthHouse, changed: dict[str, int]) -> None:
    app, now = house.backend(), int(house.clock.now().timestamp())
    moved: dict[str, Any] = {name: now + seconds for name, seconds in changed.items()}
    assert refused(house, house.assertion(app.client_id, **moved)) == "client.auth.time"


@pytest.mark.threat("O43")
@pytest.mark.parametrize("exp", ['"1772442300"', "1772442300.0", "true", "1e308", "1" * 4000, "null", "[]", "{}"])
def test_a_time_is_a_whole_number(house: AuthHouse, exp: str) -> None:
    app = house.backend()
    said = f'{{"iss":"{app.client_id}","sub":"{app.client_id}","aud":"{TOKEN}","jti":"x","exp":{exp}}}'
    assert refused(house, signed({"alg": "RS384", "kid": "rsa"}, said.encode())) == "client.auth.time"


@pytest.mark.threat("O44")
@pytest.mark.clause("SMART 2.2 server", "335", "337")
@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "https://other.example/token"},
        {"aud": [TOKEN, "https://other.example"]},
        {"aud": [TOKEN]},
        {"aud": [5]},
        {"aud": None},
        {"aud": f"{ISSUER}/oauth/introspect"},
        {"aud": TOKEN + "/"},
        {"iss": "somebody"},
        {"iss": None},
        {"sub": None},
        {"jti": None},
        {"jti": ""},
        {"jti": 5},
    ],
)
def test_an_assertion_speaks_for_its_client_to_us_alone(house: AuthHouse, changed: dict[str, Any]) -> None:
    app, now = house.backend(), int(house.clock.now().timestamp())
    said = {"iss": app.client_id, "sub": app.client_id, "aud": TOKEN, "exp": now + 9, "jti": "x", **changed}
    said = {name: value for name, value in said.items() if value is not None}
    assert refused(house, signed({"alg": "RS384", "kid": "rsa"}, said)) == "client.auth.claims"


@pytest.mark.threat("O44")
def test_the_body_names_the_same_client_or_none(house: AuthHouse) -> None:
    app, other = house.backend(), house.backend()
    assert refused(house, house.assertion(app.client_id), client_id=other.client_id) == "client.auth.claims"
    same = house.post("token", house.asked_by(house.assertion(app.client_id), client_id=app.client_id))
    assert same.status_code == 200


@pytest.mark.threat("O45")
@pytest.mark.clause("SMART 2.2 server", "336")
def test_an_assertion_counts_once_until_nobody_could_take_it(both: AuthHouse) -> None:
    app = both.backend()
    assertion = both.assertion(app.client_id)
    assert both.post("token", both.asked_by(assertion)).status_code == 200
    for seconds in (0, 200, 99):
        both.clock.advance(seconds)
        answer = both.post("token", both.asked_by(assertion))
        assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
    assert "client.auth.jti_replay" in both.kinds("high")
    assert both.kinds().count("token.issued") == 1


@pytest.mark.threat("O46")
@pytest.mark.parametrize(
    "assertion",
    [
        "x",
        "a.b",
        "a.b.c.d",
        "e30.e30.",
        "x" * 17000,
        json.dumps({"payload": "e30", "signatures": []}),
        signed(b'{"alg":"RS384","kid":"rsa","kid":"p384"}', {}),
        signed(b'{"alg":"RS384","kid":"rsa"}', b'{"sub":"a","sub":"b"}'),
        signed(b"[" * 3000, b"{}"),
        signed(b"{}", b"[" * 3000 + b"]" * 3000),
        signed(b"[]", b"{}"),
        signed(b"\xff", b"{}"),
    ],
)
def test_what_can_be_read_in_two_ways_is_not_read(house: AuthHouse, assertion: str) -> None:
    answer = house.post("token", house.asked_by(assertion))
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


@pytest.mark.threat("O46")
def test_a_body_of_a_megabyte_is_too_large(house: AuthHouse) -> None:
    answer = house.post("token", house.asked_by("x" * 10**6))
    assert answer.status_code == 413


@pytest.mark.threat("O39")
@pytest.mark.clause("SMART 2.2 server", "335")
def test_a_signature_of_another_key_is_none(house: AuthHouse) -> None:
    app = house.backend()
    head, claims, _ = house.assertion(app.client_id).split(".")
    _, _, other = house.assertion(house.backend().client_id).split(".")
    assert refused(house, f"{head}.{claims}.{other}") == "client.auth.signature"


@pytest.mark.threat("O38")
@pytest.mark.clause("RFC 6749", "2.3", "5.2")
@pytest.mark.parametrize("name", ["token", "introspect", "revoke"])
def test_only_the_registered_method_counts(house: AuthHouse, name: str) -> None:
    signer, secretive, public = house.app("private_key_jwt"), house.registered("client_secret_basic"), house.app()
    secret = secretive.client_secret or ""
    client = secretive.app.client_id
    body = {"grant_type": "authorization_code", "code": "x", "redirect_uri": "x", "code_verifier": "x", "token": "x"}
    tries: list[tuple[dict[str, str], dict[str, str]]] = [
        ({}, basic(signer.client_id, "x")),
        ({"client_id": signer.client_id, "client_secret": "x"}, {}),
        ({"client_id": signer.client_id}, {}),
        ({"client_id": client, "client_secret": secret}, {}),
        ({"client_id": client}, {}),
        ({"client_assertion_type": BEARER, "client_assertion": house.assertion(client)}, {}),
        ({}, basic(public.client_id, "x")),
    ]
    for form, headers in tries:
        answer = house.post(name, {**body, **form}, headers=headers)
        assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
        assert ("WWW-Authenticate" in answer.headers) is bool(headers)
        assert house.kinds("high")[-1] == "client.auth.wrong_method"


@pytest.mark.clause("RFC 6749", "2.3.1")
def test_a_secret_is_shown_in_the_header_form_encoded(house: AuthHouse) -> None:
    made = house.registered("client_secret_basic")
    app, secret = made.app, made.client_secret or ""
    body = {"token": "x"}
    assert house.post("introspect", body, headers=basic(app.client_id, secret)).status_code == 200
    encoded = "".join(f"%{ord(sign):02x}" for sign in secret)
    pair = b64encode(f"{app.client_id}:{encoded}".encode()).decode()
    assert house.post("introspect", body, headers={"Authorization": f"basic {pair}"}).status_code == 200
    for header in ("Basic", "Basic !", f"Bearer {secret}", f"Basic {pair}, Basic {pair}", "Basic " + "A" * 2000):
        answer = house.post("introspect", body, headers={"Authorization": header})
        assert (answer.status_code, answer.headers["WWW-Authenticate"][:5]) == (401, "Basic")
    wrong = house.post("introspect", body, headers=basic(app.client_id, secret + "x"))
    assert wrong.status_code == 401
    unknown = house.post("introspect", body, headers=basic("nobody", secret))
    assert unknown.get_json() == wrong.get_json()


@pytest.mark.threat("O47")
@pytest.mark.clause("RFC 6749", "2.3")
def test_two_mechanisms_at_once_are_none(house: AuthHouse) -> None:
    made = house.registered("client_secret_basic")
    app, secret = made.app, made.client_secret or ""
    assertion = {"client_assertion_type": BEARER, "client_assertion": house.assertion(app.client_id)}
    for form, headers in (
        ({"client_secret": secret}, basic(app.client_id, secret)),
        (assertion, basic(app.client_id, secret)),
        ({**assertion, "client_id": app.client_id, "client_secret": secret}, {}),
    ):
        answer = house.post("revoke", {"token": "x", **form}, headers=headers)
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
        assert house.kinds()[-1] == "client.auth.double"


@pytest.mark.threat("O49")
@pytest.mark.clause("SMART 2.2 server", "240", "241", "243", "251", "252", "260")
@pytest.mark.parametrize(
    "scope",
    [
        "patient/ImagingStudy.rs",
        "user/ImagingStudy.rs",
        "offline_access",
        "openid",
        "system/ImagingStudy.rs offline_access",
        "system/ImagingStudy.cruds",
        "system/*.rs",
        "system/ImagingStudy.rs system/Patient.rs",
        "nonsense",
        " ",
    ],
)
def test_a_service_gets_what_the_policy_allows_or_nothing(house: AuthHouse, scope: str) -> None:
    app = house.backend()
    answer = house.post("token", house.asked_by(house.assertion(app.client_id), scope=scope))
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_scope")
    assert "token.scope_denied" in house.kinds()
    assert "token.issued" not in house.kinds()


@pytest.mark.threat("O49")
def test_a_service_that_nobody_approved_gets_nothing(house: AuthHouse) -> None:
    from smartapp.identity.apps.model import AppState

    for app in (house.backend(state=AppState.PENDING), house.app("private_key_jwt")):
        answer = house.post("token", house.asked_by(house.assertion(app.client_id)))
        assert (answer.status_code, answer.get_json()["error"]) == (400, "unauthorized_client")
    gone = house.backend()
    house.parts.apps.delete(gone)
    assert refused(house, house.assertion(gone.client_id)) == "client.auth.unknown"


@pytest.mark.threat("O61")
def test_who_fails_too_often_waits_and_others_do_not(sqlite_files: SqliteFiles, tmp_path: Any) -> None:
    with sqlite_files.ready() as url:
        house = AuthHouse(url, tmp_path, apps_settings=Apps(failures_per_minute=3))
        made, other = house.registered("client_secret_basic"), house.registered("client_secret_basic")

        def ask(app: App, secret: str | None) -> int:
            answer = house.post("introspect", {"token": "x"}, headers=basic(app.client_id, secret or ""))
            if answer.status_code == 429:
                assert 0 < int(answer.headers["Retry-After"]) <= 60
            return answer.status_code

        assert [ask(made.app, "wrong") for _ in range(5)] == [401, 401, 401, 429, 429]
        assert ask(made.app, made.client_secret) == 429
        assert ask(other.app, other.client_secret) == 200
        house.clock.advance(60)
        assert ask(made.app, made.client_secret) == 200
        house.close()


class Host:
    """A client's key host, as `PublicDoor`."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def get(self, url: str, **_limits: Any) -> Answer:
        self.asked.append(url)
        found = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if isinstance(found, Exception):
            raise found
        body, headers = found if isinstance(found, tuple) else (found, {})
        return Answer(200, headers, body, url)


def hosted(house: AuthHouse, monkeypatch: pytest.MonkeyPatch, *answers: Any) -> tuple[App, Host]:
    host = Host(*answers)
    monkeypatch.setattr(type(house.parts.public_door), "get", lambda _door, url, **limits: host.get(url, **limits))
    return house.backend(jwks=None, jwks_uri="https://keys.example/jwks"), host


SET = json.dumps(JWKS).encode()


@pytest.mark.threat("O40")
@pytest.mark.clause("SMART 2.2 server", "296", "339", "342")
def test_keys_by_address_are_kept_and_asked_for_anew_once_in_five_minutes(
    house: AuthHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, host = hosted(house, monkeypatch, SET)
    for _ in range(3):
        said = house.assertion(app.client_id, header={"jku": "https://keys.example/jwks"})
        assert house.post("token", house.asked_by(said)).status_code == 200
    assert host.asked == ["https://keys.example/jwks"]
    for _ in range(3):
        house.post("token", house.asked_by(house.assertion(app.client_id, header={"kid": "new"})))
    assert len(host.asked) == 2
    house.clock.advance(301)
    assert house.post("token", house.asked_by(house.assertion(app.client_id))).status_code == 200
    assert len(host.asked) == 3


@pytest.mark.clause("SMART 2.2 server", "341")
@pytest.mark.clause("RFC 9111", "5.2.2")
@pytest.mark.parametrize(("said", "asked"), [("max-age=30", 2), ("no-store", 3), ("max-age=9999", 1), ("public", 1)])
def test_keys_are_kept_no_longer_than_their_host_says(
    house: AuthHouse, monkeypatch: pytest.MonkeyPatch, said: str, asked: int
) -> None:
    app, host = hosted(house, monkeypatch, (SET, {"Cache-Control": said}))
    for seconds in (0, 20, 20):
        house.clock.advance(seconds)
        assert house.post("token", house.asked_by(house.assertion(app.client_id))).status_code == 200
    assert len(host.asked) == asked


@pytest.mark.threat("O50")
@pytest.mark.threat("O51")
@pytest.mark.clause("SMART 2.2 server", "340")
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (UpstreamMalformed(BLOCKED), "ssrf.blocked"),
        (UpstreamMalformed("too-big"), "client.jwks.bad"),
        ((SET, {"Content-Type": "text/html; charset=utf-8"}), "client.jwks.bad"),
        (b"<html>", "client.jwks.bad"),
        (b"[]", "client.jwks.bad"),
        (b'{"keys": {}}', "client.jwks.bad"),
        (json.dumps({"keys": [{}] * 51}).encode(), "client.jwks.bad"),
        (b'{"keys": [], "keys": []}', "client.jwks.bad"),
        (b'{"keys": []}', "client.auth.kid"),
    ],
)
def test_a_bad_key_set_shows_nobody(house: AuthHouse, monkeypatch: pytest.MonkeyPatch, answer: Any, kind: str) -> None:
    app, _ = hosted(house, monkeypatch, answer)
    assert refused(house, house.assertion(app.client_id)) == kind


@pytest.mark.threat("O51")
@pytest.mark.parametrize(
    "changed",
    [
        {"use": "enc"},
        {"key_ops": ["sign"]},
        {"alg": "PS256"},
        {"e": "AQ"},
        {"e": "Aw"},
        {"n": "s" * 86},
        {"n": "s" * 2731},
        {"n": 5},
        {"kty": "EC"},
        {"kty": "oct", "k": "YWJj"},
    ],
)
def test_a_weak_or_foreign_key_verifies_nothing(house: AuthHouse, changed: dict[str, Any]) -> None:
    key = {**KEYS["RS384"].as_dict(private=False), "kid": "rsa", **changed}
    app = house.backend(jwks={"keys": [key]})
    assert refused(house, house.assertion(app.client_id)) == "client.auth.kid"
