"""The pages of app developers, with everything real: their apps alone, credentials once, changes, and why it failed."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from secrets import token_hex
from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from smartapp.errors import BadInput
from smartapp.exchange.developers.store import traces as stored_traces
from smartapp.exchange.developers.trace import KEPT
from smartapp.identity.apps.model import App, AppState
from smartapp.settings import Apps
from tests.authserver.house import JWKS, basic
from tests.support.databases import SqliteFiles
from tests.threats.composed import BASE, OURS, Composed, composed
from tests.threats.holding import CHALLENGE, FORM, HOSPITAL, MAIL, REDIRECT, SCOPE, Holder

SECRET = re.compile(r"<dt>client_secret</dt><dd><code>(scs_[0-9A-Za-z_-]+)</code>")
TOKEN = re.compile(r"<dt>registration_access_token</dt><dd><code>(srg_[0-9A-Za-z_-]+)</code>")


@pytest.fixture(scope="module")
def shared(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    with composed(
        sqlite_files, tmp_path_factory.mktemp("pages"), mail=MAIL, apps=Apps(registrations_per_hour=10_000)
    ) as running:
        yield running


class Developer:
    """Somebody who signed in by a link, in a browser of their own."""

    def __init__(self, running: Composed) -> None:
        self.running = running
        self.holder = Holder(running, running.browser())
        self.holder.known["client_id"] = self.holder.become_developer(f"{token_hex(6)}@app.example")
        self.client_id = self.holder.known["client_id"]

    @property
    def path(self) -> str:
        return f"/developers/apps/{HOSPITAL}/{self.client_id}"

    @property
    def app(self) -> App:
        found = self.holder.parts.apps.find(HOSPITAL, self.client_id)
        assert found is not None
        return found

    def get(self, path: str = "") -> TestResponse:
        return self.holder.browser.get(f"{self.path}{path}")

    def post(self, path: str, **fields: Any) -> TestResponse:
        form = {**FORM, "csrf_token": self.holder.developer_csrf(), **fields}
        return self.holder.browser.open(path, method="POST", data=form, headers=OURS)

    def register(self, **fields: Any) -> TestResponse:
        answer = self.post("/developers/new", **fields)
        found = re.search(r"<dt>client_id</dt><dd><code>(app-[0-9A-Za-z_-]+)", answer.text)
        self.client_id = found[1] if found else self.client_id
        return answer

    def program(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        """The app itself: no cookies."""
        client = self.running.house.app.test_client(use_cookies=False)
        return client.open(f"/{HOSPITAL}/oauth/{path}", method=method, base_url=BASE, **kwargs)

    def last(self) -> str:
        """What the page says of the last request."""
        page = html.unescape(self.get("/requests").text)
        return page.split('<li class="card">')[1].split("</li>")[0]


@pytest.fixture
def me(shared: Composed) -> Developer:
    return Developer(shared)


@pytest.mark.promise("B1")
def test_credentials_are_shown_once(me: Developer) -> None:
    made = me.register(kind="secret", client_name="With a secret")
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    secret, token = SECRET.search(made.text), TOKEN.search(made.text)
    assert secret is not None
    assert token is not None
    for page in (me.get(), me.get("/requests"), me.holder.browser.get("/developers/apps")):
        assert page.status_code == 200
        assert secret[1] not in page.text
        assert token[1] not in page.text
    used = me.program("POST", "revoke", data={"token": "x"}, headers=basic(me.client_id, secret[1]))
    assert used.status_code == 200
    managed = me.program("GET", f"register/{me.client_id}", headers={"Authorization": f"Bearer {token[1]}"})
    assert managed.get_json()["client_name"] == "With a secret"
    again = SECRET.search(me.post(f"{me.path}/secret").text)
    assert again is not None
    for each, status in ((secret[1], 401), (again[1], 200)):
        answer = me.program("POST", "revoke", data={"token": "x"}, headers=basic(me.client_id, each))
        assert answer.status_code == status


@pytest.mark.clause("SMART 2.2 server", "306")
def test_who_has_keys_is_reminded_to_tell_us_of_new_ones(me: Developer) -> None:
    """Beside the fields of the form, and once more where it is answered to an app that has keys."""
    reminder = "When its keys change, tell us first"
    assert reminder in me.holder.browser.get("/developers/new").text
    made = me.register(kind="key", client_name="With keys", jwks_uri="https://app.example.org/jwks.json")
    assert made.status_code == 201
    assert reminder in made.text
    assert reminder in me.get().text
    assert reminder not in me.register(kind="secret", client_name="Without").text


def test_an_app_without_a_secret_gets_none(me: Developer) -> None:
    assert SECRET.search(me.register(kind="public").text) is None
    assert me.post(f"{me.path}/secret").status_code == 404


@pytest.mark.threat("O56")
def test_anothers_app_does_not_exist(shared: Composed, me: Developer) -> None:
    other = Developer(shared)
    before = other.app
    for path in ("", "/requests", "/delete"):
        assert me.holder.browser.get(f"{other.path}{path}").status_code == 404
    for path in ("", "/secret", "/delete"):
        assert me.post(f"{other.path}{path}", client_name="Taken over").status_code == 404
    unknown = me.holder.browser.get(f"/developers/apps/{HOSPITAL}/app-unknown")
    assert unknown.status_code == 404
    assert other.app == before
    listed = me.holder.browser.get("/developers/apps").text
    assert me.client_id in listed
    assert other.client_id not in listed


@pytest.mark.parametrize(
    ("kind", "method", "grants"),
    [
        ("public", "none", {"authorization_code", "refresh_token"}),
        ("secret", "client_secret_basic", {"authorization_code", "refresh_token"}),
        ("key", "private_key_jwt", {"authorization_code", "refresh_token"}),
        ("service", "private_key_jwt", {"client_credentials"}),
    ],
)
def test_each_kind_of_app(me: Developer, kind: str, method: str, grants: set[str]) -> None:
    keyed = {"jwks": json.dumps(JWKS)} if method == "private_key_jwt" else {}
    plain = {"redirect_uris": "", "scope": "system/*.rs"} if kind == "service" else {}
    assert me.register(kind=kind, **keyed, **plain).status_code == 201
    assert me.app.metadata.token_endpoint_auth_method == method
    assert set(me.app.metadata.grant_types) == grants
    page = me.get()
    assert f'<option value="{kind}" selected' in page.text


def test_everything_that_an_app_says_of_itself_can_be_said_and_taken_back_in_the_form(me: Developer) -> None:
    pages = ("client_uri", "policy_uri", "tos_uri", "logo_uri", "launch_uri")
    said = {name: f"https://app.example/{name}" for name in pages}
    assert me.register(**said).status_code == 201
    assert {name: getattr(me.app.metadata, name) for name in pages} == said
    assert all(f'value="{address}"' in me.get().text for address in said.values())
    assert me.post(me.path, **dict.fromkeys(pages, "")).status_code == 200
    assert {getattr(me.app.metadata, name) for name in pages} == {""}


@pytest.mark.threat("O55")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("client_name", "<script>alert(1)</script>"),
        ("redirect_uris", "http://app.example/cb"),
        ("redirect_uris", ""),
        ("scope", "system/*.rs"),
        ("jwks_uri", "https://10.0.0.1/keys"),
        ("jwks", "{"),
        ("kind", "root"),
        ("contacts", "nobody"),
        ("client_uri", "javascript:alert(1)"),
        ("post_logout_redirect_uris", "https://*.app.example/"),
    ],
)
def test_what_is_refused_is_said_beside_its_field_and_kept_typed(me: Developer, field: str, value: str) -> None:
    kind = {"kind": "key"} if field.startswith("jwks") else {}
    before = me.app
    for path in ("/developers/new", me.path):
        answer = me.post(path, **{"tos_uri": "https://app.example/terms", **kind, field: value})
        assert answer.status_code == 400
        assert f'id="problem-{field}"' in answer.text
        assert 'aria-invalid="true"' in answer.text
        assert "https://app.example/terms" in answer.text
        assert "<script>alert" not in answer.text
    assert me.app == before


def test_a_change_is_kept_and_a_form_names_nothing_else(me: Developer) -> None:
    answer = me.post(
        me.path, client_name="Renamed", developer_id="dev-other", state="active", offered="patient/*.cruds"
    )
    assert answer.status_code == 200
    assert (me.app.metadata.client_name, me.app.offered) == ("Renamed", "")
    assert "Renamed" in me.holder.browser.get("/developers/apps").text


def test_another_kind_brings_a_secret_once(me: Developer) -> None:
    answer = me.post(me.path, kind="secret")
    assert SECRET.search(answer.text) is not None
    assert SECRET.search(me.post(me.path, kind="secret").text) is None


def test_deleting_asks_first_and_then_it_is_gone(me: Developer) -> None:
    assert me.get("/delete").status_code == 200
    assert me.get().status_code == 200
    answer = me.post(f"{me.path}/delete")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/developers/apps")
    assert me.get().status_code == 404
    assert me.client_id not in me.holder.browser.get("/developers/apps").text


@pytest.mark.parametrize("state", [AppState.REFUSED, AppState.SUSPENDED])
def test_the_operators_ground_is_on_the_apps_page(me: Developer, state: AppState) -> None:
    me.holder.parts.apps.decide(HOSPITAL, me.client_id, state, ground="security: leaks <tokens>", by="operator")
    assert "security: leaks &lt;tokens&gt;" in me.get().text


def test_a_hospital_that_there_is_not_has_no_apps(me: Developer) -> None:
    assert me.post("/developers/new", provider="st-nowhere").status_code == 404
    assert me.holder.browser.get(f"/developers/apps/mercy/{me.client_id}").status_code == 404


@pytest.mark.threat("O54")
def test_registrations_are_counted_here_too(
    sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("limit")
    with composed(sqlite_files, folder, mail=MAIL, apps=Apps(registrations_per_hour=2)) as running:
        me = Developer(running)
        assert me.register(client_name="Second").status_code == 201
        answer = me.register(client_name="Third")
        assert answer.status_code == 429
        assert "Too many apps were registered" in answer.text
        assert 'value="Third"' in answer.text
        program = me.program("POST", "register", json={"client_name": "x"})
        assert program.status_code == 429
        assert len(me.holder.parts.apps.list()) == 2


# --- why a request was refused ---


def authorize(me: Developer, **changed: str) -> TestResponse:
    query = {
        "response_type": "code", "client_id": me.client_id, "redirect_uri": REDIRECT, "scope": SCOPE,
        "state": "st-canary",
        "aud": f"{BASE}/{HOSPITAL}/fhir", "code_challenge": CHALLENGE, "code_challenge_method": "S256", **changed,
    }  # fmt: skip
    return me.program("GET", f"authorize?{urlencode({name: value for name, value in query.items() if value})}")


@pytest.mark.promise("B1")
@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"redirect_uri": "https://canary.example/"}, "invalid_request", "none of the registered ones"),
        ({"redirect_uri": ""}, "invalid_request", "redirect_uri was not sent"),
        ({"state": "s" * 3000}, "invalid_request", "longer than 2048"),
        ({"code_challenge": ""}, "invalid_request", "code_challenge was not sent"),
        ({"code_challenge_method": "plain"}, "invalid_request", "must be S256"),
        ({"code_challenge": "canary"}, "invalid_request", "43 characters"),
        ({"aud": "https://canary.example/"}, "invalid_request", "aud must be"),
        ({"scope": "canary"}, "invalid_scope", "None of the scopes"),
        ({"scope": ""}, "invalid_scope", "scope was not sent"),
        ({"prompt": "none"}, "interaction_required", "always asked"),
        ({"response_type": "token"}, "unsupported_response_type", "must be code"),
        ({"response_mode": "fragment"}, "invalid_request", "must be query"),
        ({"request_uri": "https://canary.example/"}, "request_uri_not_supported", "not supported"),
        ({"launch": "canary"}, "invalid_request", "without the scope launch"),
    ],
)
def test_the_page_says_why_a_request_was_refused(
    me: Developer, changed: dict[str, str], error: str, words: str
) -> None:
    answer = authorize(me, **changed)
    said = me.last()
    assert f"<code>{error}</code>" in said
    assert words in said
    assert answer.headers["X-Request-Id"] in said
    assert "canary" not in me.get("/requests").text


def test_the_page_says_what_worked_and_what_waits(me: Developer) -> None:
    assert authorize(me).status_code == 303
    assert "It worked." in me.last()
    me.holder.parts.apps.decide(HOSPITAL, me.client_id, AppState.PENDING, ground="", by="operator")
    authorize(me)
    assert "unauthorized_client" in me.last()
    assert "not admitted yet" in me.last()


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "authorization_code", "code": "sac_canary", "redirect_uri": REDIRECT}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "srt_canary"}, "invalid_grant"),
        ({"grant_type": "password", "username": "canary"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "scope": "canary"}, "invalid_client"),
    ],
)
def test_the_page_says_it_of_tokens_too_and_keeps_nothing_sent(me: Developer, form: dict[str, str], error: str) -> None:
    answer = me.program("POST", "token", data={**form, "client_id": me.client_id})
    assert answer.get_json()["error"] in {error, "unauthorized_client"}
    said = me.last()
    assert "<strong>token</strong>" in said
    assert answer.get_json()["error"] in said
    assert answer.headers["X-Request-Id"] in said
    assert "canary" not in said


def test_a_refused_change_by_a_program_is_there_as_well(me: Developer) -> None:
    made = me.register(client_name="By program")
    token = TOKEN.search(made.text)
    assert token is not None
    body = {"client_id": me.client_id, "client_name": "x", "redirect_uris": ["http://canary.example/"]}
    header = {"Authorization": f"Bearer {token[1]}"}
    assert me.program("PUT", f"register/{me.client_id}", json=body, headers=header).status_code == 400
    assert "invalid_redirect_uri" in me.last()
    assert "canary" not in me.last()


def test_only_the_last_requests_are_kept(me: Developer) -> None:
    for n in range(KEPT + 3):
        me.holder.parts.traces.note(HOSPITAL, me.client_id, "token", error="invalid_grant", request_id=f"req-{n}")
    found = me.holder.parts.traces.of(HOSPITAL, me.client_id)
    assert [each.request_id for each in found] == [f"req-{n}" for n in reversed(range(3, KEPT + 3))]


def test_a_trace_stands_in_no_requests_way(
    me: Developer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_arguments: Any, **_named: Any) -> None:
        raise BadInput("trace-broken")

    traces = me.holder.parts.traces
    traces.flush()
    with monkeypatch.context() as patch:
        patch.setattr("smartapp.exchange.developers.store.add_traces", broken)
        assert authorize(me).status_code == 303
        traces.flush()
    assert "trace-broken" in caplog.text
    assert authorize(me).status_code == 303
    assert [each.door for each in traces.of(HOSPITAL, me.client_id)] == ["authorize"]


def test_requests_are_written_down_soon_by_a_thread_and_not_by_the_request(me: Developer) -> None:
    traces = me.holder.parts.traces
    traces.flush()
    assert authorize(me).status_code == 303
    with me.holder.composed.ground.database.read() as session:
        assert stored_traces(session, HOSPITAL, me.client_id) == []
    traces.flush()
    with me.holder.composed.ground.database.read() as session:
        assert [each.door for each in stored_traces(session, HOSPITAL, me.client_id)] == ["authorize"]


def test_who_is_not_signed_in_sees_no_app(shared: Composed, me: Developer) -> None:
    stranger = shared.browser()
    for path in ("/developers/apps", "/developers/new", me.path, f"{me.path}/requests", f"{me.path}/delete"):
        assert stranger.get(path).status_code == 401
