"""The authorization endpoint, check by check: what is answered on our page, what at the app, and what is never."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from werkzeug.test import TestResponse

from smartapp.exchange.approvals.model import Asked
from smartapp.identity.apps.model import App, AppState
from smartapp.launch.pkce import s256
from tests.authserver.house import BASE, ISSUER, PROVIDER, REDIRECT, VERIFIER, AuthHouse
from tests.support.databases import SqliteFiles

AUTHORIZE = f"/{PROVIDER}/oauth/authorize"
FORM = "application/x-www-form-urlencoded"
STATE = "st&ate=+/"
Pairs = list[tuple[str, str]]


@pytest.fixture(scope="module")
def house(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthHouse]:
    """One for all; neither hospital nor archive stands behind it: whatever asked them would fail."""
    with sqlite_files.ready() as url:
        made = AuthHouse(url, tmp_path_factory.mktemp("authorize"))
        yield made
        made.close()


@pytest.fixture(scope="module")
def app(house: AuthHouse) -> App:
    return house.app()


@pytest.fixture(params=["GET", "POST"])
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def asked(app: App, **changed: str | None) -> Pairs:
    """The request of a correct app; None leaves a parameter out."""
    said = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": REDIRECT,
        "scope": "launch/patient openid patient/ImagingStudy.rs",
        "state": STATE,
        "aud": f"{ISSUER}/fhir",
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
        **changed,
    }
    return [(name, value) for name, value in said.items() if value is not None]


def sent(house: AuthHouse, pairs: Pairs, method: str = "GET", path: str = AUTHORIZE) -> TestResponse:
    said = urlencode(pairs)
    if method == "GET":
        return house.get(f"{path}?{said}")
    return house.http.post(path, data=said, content_type=FORM, base_url=BASE, headers={"Sec-Fetch-Site": "cross-site"})


def on_our_page(house: AuthHouse, answer: TestResponse, kind: str) -> str:
    """The page of a refusal that tells the app nothing."""
    assert (answer.status_code, answer.mimetype) == (400, "text/html")
    assert "Location" not in answer.headers
    assert "Refresh" not in answer.headers
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert house.kinds()[-1] == kind
    return answer.text


def at_the_app(house: AuthHouse, answer: TestResponse, error: str, kind: str = "oauth.authorize.reject") -> str:
    """The description of an error that is told to the app, at its address, with state and iss."""
    assert answer.status_code == 303, answer.text
    address, _, query = answer.headers["Location"].partition("?")
    assert address == REDIRECT
    told = parse_qsl(query, strict_parsing=True)
    assert len(dict(told)) == len(told)
    found = dict(told)
    assert set(found) == {"error", "error_description", "state", "iss"}
    assert (found["error"], found["state"], found["iss"]) == (error, STATE, ISSUER)
    assert house.kinds()[-1] == kind
    return found["error_description"]


def waiting(house: AuthHouse, answer: TestResponse) -> Asked:
    """What waits for the patient, once a request has passed."""
    assert answer.status_code == 303, answer.text
    path = urlsplit(answer.headers["Location"]).path
    assert path.startswith(f"/{PROVIDER}/oauth/approve/")
    return house.parts.approvals.open(path.rpartition("/")[2])


@pytest.mark.threat("O25")
@pytest.mark.clause("RFC 9700", "4.12")
@pytest.mark.clause("SMART 2.2 server", "48", "49", "354")
def test_a_correct_request_waits_for_the_patient(house: AuthHouse, app: App, method: str) -> None:
    found = waiting(house, sent(house, asked(app, nonce="n-1"), method))
    assert (found.client_id, found.redirect_uri, found.state) == (app.client_id, REDIRECT, STATE)
    assert (found.nonce, found.challenge) == ("n-1", s256(VERIFIER))
    assert set(found.scope.split()) == {"launch/patient", "openid", "patient/ImagingStudy.rs"}


@pytest.mark.clause("RFC 6749", "3.1")
def test_an_empty_parameter_is_none_and_an_unknown_one_is_ignored(house: AuthHouse, app: App, method: str) -> None:
    pairs = [*asked(app), ("prompt", ""), ("request", ""), ("unheard_of", "x"), ("launch", "")]
    waiting(house, sent(house, pairs, method))


# --- on our page: nobody is sent anywhere ---


@pytest.mark.threat("O19")
@pytest.mark.clause("RFC 6749", "4.1.2.1")
@pytest.mark.parametrize("client_id", ["app-unknown", "", None, "' OR 1=1", "\x00", "é", "x" * 5000])
@pytest.mark.parametrize("response_type", ["code", "token", "foo"])
def test_an_unknown_client_is_told_nothing(
    house: AuthHouse, app: App, method: str, client_id: str | None, response_type: str
) -> None:
    pairs = asked(app, client_id=client_id, response_type=response_type, redirect_uri="https://evil.example/")
    page = on_our_page(house, sent(house, pairs, method), "oauth.authorize.reject")
    assert "evil.example" not in page


def test_another_hospitals_client_is_nobody_here(house: AuthHouse) -> None:
    other = house.registered(provider="st-mercy").app
    on_our_page(house, sent(house, asked(other)), "oauth.authorize.reject")


@pytest.mark.threat("O11")
@pytest.mark.threat("O16")
@pytest.mark.threat("O19")
@pytest.mark.clause("RFC 9700", "2.1")
@pytest.mark.clause("SMART 2.2 server", "18")
@pytest.mark.parametrize(
    "uri",
    [
        "https://APP.example/callback", "HTTPS://app.example/callback", f"{REDIRECT}/", "https://app.example:443/callback",
        "https://app.example/a/../callback", "https://app.example/%63allback", f"{REDIRECT}?x=1", f"{REDIRECT}#f",
        f" {REDIRECT}", f"{REDIRECT} ", f"{REDIRECT}\x00", f"{REDIRECT}%00", f"{REDIRECT}\n", f"{REDIRECT}\r\n",
        f"\t{REDIRECT}", "https://аpp.example/callback", "https://app.example@evil.example/callback",
        "https://app.example\\@evil.example/callback", "https://app.example.evil.example/callback",
        "http://app.example/callback", "//app.example/callback", "https:app.example/callback", "javascript:alert(1)",
        "https://evil.example/", "https://app.example/call", "https://app.example/", "callback",
        f"{REDIRECT},{REDIRECT}",
    ],
)  # fmt: skip
def test_a_redirect_uri_is_one_of_the_registered_letter_by_letter(
    house: AuthHouse, app: App, method: str, uri: str
) -> None:
    page = on_our_page(house, sent(house, asked(app, redirect_uri=uri), method), "oauth.redirect.mismatch")
    assert "evil.example" not in page


@pytest.mark.threat("O19")
@pytest.mark.parametrize(
    "wrong",
    [{"response_type": "token"}, {"response_type": "id_token"}, {"response_type": "code token"}, {"scope": "x"}],
)
def test_another_fault_opens_no_other_address(house: AuthHouse, app: App, wrong: dict[str, str]) -> None:
    pairs = asked(app, redirect_uri="https://evil.example/callback", **wrong)
    on_our_page(house, sent(house, pairs), "oauth.redirect.mismatch")


@pytest.mark.threat("O13")
@pytest.mark.parametrize("uri", [None, ""])
@pytest.mark.parametrize("uris", [(REDIRECT,), (REDIRECT, "https://app.example/other")])
def test_a_redirect_uri_is_always_said(house: AuthHouse, method: str, uri: str | None, uris: tuple[str, ...]) -> None:
    pairs = asked(house.app(redirect_uris=uris), redirect_uri=uri)
    on_our_page(house, sent(house, pairs, method), "oauth.redirect.missing")


@pytest.mark.threat("O15")
def test_an_http_address_in_the_tables_is_still_compared_as_text(house: AuthHouse) -> None:
    loopback = house.app(redirect_uris=("http://127.0.0.1/cb",))
    on_our_page(house, sent(house, asked(loopback, redirect_uri="http://app.example/cb")), "oauth.redirect.mismatch")


@pytest.mark.clause("RFC 8252", "7.3", "8.3")
@pytest.mark.parametrize(
    ("registered", "said", "taken"),
    [
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", True),
        ("http://127.0.0.1:8400/cb", "http://127.0.0.1:51004/cb", True),
        ("http://127.0.0.1:8400/cb", "http://127.0.0.1/cb", True),
        ("http://[::1]/cb", "http://[::1]:51004/cb", True),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/other", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb?x=1", False),
        ("http://127.0.0.1/cb", "http://[::1]:51004/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.2:51004/cb", False),
        ("http://127.0.0.1/cb", "https://127.0.0.1:51004/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004@evil.example/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:080/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:65535/cb", True),
        ("http://127.0.0.1/cb", "http://127.0.0.1:65536/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb\n", False),
        ("http://localhost:3000/cb", "http://localhost:3000/cb", True),
        ("http://localhost:3000/cb", "http://localhost:3001/cb", False),
        ("https://app.example/cb", "https://app.example:8443/cb", False),
    ],
)
def test_an_app_on_the_readers_machine_takes_any_port(
    house: AuthHouse, registered: str, said: str, *, taken: bool
) -> None:
    answer = sent(house, asked(house.app(redirect_uris=(registered,)), redirect_uri=said))
    if taken:
        assert waiting(house, answer).redirect_uri == said
    else:
        on_our_page(house, answer, "oauth.redirect.mismatch")


@pytest.mark.threat("O12")
@pytest.mark.clause("RFC 6749", "3.1")
@pytest.mark.parametrize(
    "name",
    ["redirect_uri", "client_id", "scope", "state", "aud", "code_challenge", "response_type", "launch", "unknown"],
)
@pytest.mark.parametrize("other", ["https://evil.example/", "", None])
def test_a_parameter_comes_once(house: AuthHouse, app: App, method: str, name: str, other: str | None) -> None:
    pairs = [*asked(app), *([] if name in dict(asked(app)) else [(name, "x")])]
    again = dict(pairs)[name] if other is None else other
    on_our_page(house, sent(house, [*pairs, (name, again)], method), "oauth.param.duplicate")


@pytest.mark.threat("O12")
def test_address_and_form_may_not_both_say_it(house: AuthHouse, app: App) -> None:
    for again in (REDIRECT, "https://evil.example/"):
        path = f"{AUTHORIZE}?{urlencode({'redirect_uri': again})}"
        on_our_page(house, sent(house, asked(app), "POST", path), "oauth.param.duplicate")


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
def test_a_form_is_a_form(house: AuthHouse, app: App, kind: str) -> None:
    answer = house.http.post(AUTHORIZE, data=urlencode(asked(app)), content_type=kind, base_url=BASE)
    on_our_page(house, answer, "oauth.authorize.reject")


@pytest.mark.threat("O21")
@pytest.mark.parametrize("state", ["a\r\nSet-Cookie: x=1", "\x00", "é", "\x7f", "s" * 2049])
def test_a_state_that_cannot_be_given_back_is_not_taken(house: AuthHouse, app: App, method: str, state: str) -> None:
    answer = sent(house, asked(app, state=state), method)
    on_our_page(house, answer, "oauth.authorize.reject")
    assert "x=1" not in answer.headers.get("Set-Cookie", "")


@pytest.mark.threat("O21")
@pytest.mark.parametrize(
    "state", ["<script>alert(1)</script>", "a=b&error=none&iss=https://evil.example", "%0d%0a", "s" * 2048]
)
def test_a_state_comes_back_as_it_was_and_is_nothing_else(house: AuthHouse, app: App, state: str) -> None:
    answer = sent(house, asked(app, state=state, aud="https://elsewhere.example/fhir"))
    found = parse_qsl(urlsplit(answer.headers["Location"]).query, strict_parsing=True)
    assert [name for name, _ in found].count("state") == 1
    assert dict(found)["state"] == state
    assert dict(found)["iss"] == ISSUER
    assert len(found) == 4


@pytest.mark.threat("O54")
@pytest.mark.parametrize("state", [AppState.PENDING, AppState.REFUSED, AppState.SUSPENDED])
def test_an_app_that_is_not_admitted_reaches_nobody(house: AuthHouse, method: str, state: AppState) -> None:
    waits = house.registered(state=state).app
    page = on_our_page(house, sent(house, asked(waits), method), "oauth.authorize.reject")
    assert "unauthorized_client" in page


# --- at the app ---


def test_a_service_cannot_ask_people(house: AuthHouse) -> None:
    service = house.backend(redirect_uris=(REDIRECT,))
    at_the_app(house, sent(house, asked(service)), "unauthorized_client")


@pytest.mark.threat("O6")
@pytest.mark.threat("O8")
@pytest.mark.clause("RFC 7636", "4.3", "4.4.1")
@pytest.mark.clause("SMART 2.2 server", "14", "15")
@pytest.mark.parametrize("auth", ["none", "client_secret_basic", "private_key_jwt"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"code_challenge": None},
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge_method": "S512"},
        {"code_challenge": VERIFIER + "v"},
        {"code_challenge": "v" * 42},
        {"code_challenge": "=" * 43},
        {"code_challenge": "v" * 43 + "\n"},
        {"code_challenge": "v" * 42 + "é"},
    ],
)
def test_every_client_proves_itself_by_s256(house: AuthHouse, method: str, auth: Any, wrong: Any) -> None:
    client = house.app(auth)
    told = at_the_app(house, sent(house, asked(client, **wrong), method), "invalid_request", "oauth.pkce.missing")
    assert told.startswith("code_challenge")


@pytest.mark.clause("SMART 2.2 server", "96")
@pytest.mark.parametrize(
    "aud",
    [
        None, "", ISSUER, f"{BASE}/st-mercy/fhir", f"{ISSUER}/fhir/Patient", f"{ISSUER}/dicomweb", f"{ISSUER}/fhir?x",
        "https://elsewhere.example/fhir", f"{ISSUER}/FHIR", f"{ISSUER}/fhir//", f" {ISSUER}/fhir", f"{ISSUER}/fhir\n",
    ],
)  # fmt: skip
def test_the_audience_is_this_hospitals_fhir_base(house: AuthHouse, app: App, aud: str | None) -> None:
    assert "aud" in at_the_app(house, sent(house, asked(app, aud=aud)), "invalid_request")


def test_a_slash_makes_the_audience_no_other_place(house: AuthHouse, app: App) -> None:
    waiting(house, sent(house, asked(app, aud=f"{ISSUER}/fhir/")))


@pytest.mark.clause("RFC 6749", "4.1.2.1")
@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_type": "Code"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "openidx"}, "invalid_scope"),
        ({"scope": "patient/Observation.rs"}, "invalid_scope"),
        ({"scope": "patient/ImagingStudy.cud"}, "invalid_scope"),
        ({"scope": "patient/ImagingStudy.sr"}, "invalid_scope"),
        ({"scope": "patient/ImagingStudy.rs?modality:not=CT"}, "invalid_scope"),
        ({"scope": "user/ImagingStudy.rs system/ImagingStudy.rs"}, "invalid_scope"),
        ({"scope": "launch/patient offline_access"}, "invalid_scope"),
        ({"scope": "openid " + "x" * 8200}, "invalid_scope"),
        ({"nonce": "n" * 513}, "invalid_request"),
        ({"nonce": "n\r\n"}, "invalid_request"),
        ({"prompt": "none"}, "interaction_required"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "1e3"}, "invalid_request"),
        ({"max_age": "9" * 20}, "invalid_request"),
        ({"launch": "x"}, "invalid_request"),
        ({"launch": "x", "scope": "launch openid"}, "invalid_request"),
        ({"launch": "x" * 5000, "scope": "launch openid"}, "invalid_request"),
        ({"launch": "a b", "scope": "launch openid"}, "invalid_request"),
        ({"scope": "launch openid"}, "invalid_request"),
    ],
)
def test_other_faults_are_told_to_the_app(house: AuthHouse, method: str, wrong: Any, error: str) -> None:
    words = "launch launch/patient openid offline_access patient/ImagingStudy.rs patient/DiagnosticReport.rs"
    client = house.app(scope=words)
    told = at_the_app(house, sent(house, asked(client, **wrong), method), error)
    assert "x" * 20 not in told


@pytest.mark.threat("O52")
@pytest.mark.clause("OpenID Connect Core 1.0", "6", "3.1.2.6")
@pytest.mark.parametrize(
    "uri", ["http://169.254.169.254/", "urn:ietf:params:oauth:request_uri:x", "https://app.example/r"]
)
def test_a_request_kept_elsewhere_is_not_fetched(
    house: AuthHouse, app: App, method: str, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(house.parts.public_door), "get", lambda *_a, **_k: pytest.fail("asked outside"))
    answer = sent(house, asked(app, request_uri=uri), method)
    at_the_app(house, answer, "request_uri_not_supported", "oauth.request_uri")


@pytest.mark.threat("O53")
def test_a_request_in_a_token_is_not_read(house: AuthHouse, app: App, method: str) -> None:
    answer = sent(house, asked(app, request="eyJhbGciOiJub25lIn0.e30."), method)
    at_the_app(house, answer, "request_not_supported", "oauth.request_obj")
    evil = asked(app, request="eyJhbGciOiJub25lIn0.e30.", redirect_uri="https://evil.example/")
    on_our_page(house, sent(house, evil, method), "oauth.redirect.mismatch")


@pytest.mark.threat("O19")
def test_an_address_with_a_query_keeps_it(house: AuthHouse) -> None:
    client = house.app(redirect_uris=(f"{REDIRECT}?keep=1",))
    answer = sent(house, asked(client, redirect_uri=f"{REDIRECT}?keep=1", aud="x"))
    assert answer.headers["Location"].startswith(f"{REDIRECT}?keep=1&")


@pytest.mark.clause("SMART 2.2 server", "18")
def test_what_an_app_did_not_register_for_is_not_asked_of_anybody(house: AuthHouse) -> None:
    client = house.app(scope="openid patient/ImagingStudy.rs?modality=CT")
    found = waiting(house, sent(house, asked(client, scope="openid launch/patient patient/*.rs")))
    assert set(found.scope.split()) == {"openid", "patient/ImagingStudy.rs?modality=CT"}


@pytest.mark.clause("SMART 2.2 server", "369")
def test_a_request_in_the_first_versions_words_stays_in_them(house: AuthHouse) -> None:
    client = house.app(scope="openid launch/patient patient/*.rs")
    assert (
        "patient/ImagingStudy.read"
        in waiting(house, sent(house, asked(client, scope="patient/ImagingStudy.read"))).scope
    )


def test_the_trail_holds_nothing_that_was_sent(house: AuthHouse, app: App) -> None:
    sent(house, asked(app, state="state-canary", aud="https://aud-canary.example/", nonce="nonce-canary"))
    with house.ground.database.read() as session:
        rows = str(session.connection().exec_driver_sql("SELECT * FROM audit_events ORDER BY seq DESC LIMIT 1").all())
    traced = str(house.parts.traces.of("st-elsewhere", app.client_id))
    assert "authorize" in traced
    assert "canary" not in rows + traced
