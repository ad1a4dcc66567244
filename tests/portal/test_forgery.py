"""Forms of other people: every route that changes something is tried, whichever there will be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from smartapp.exchange.developers.registrations import Changed
from smartapp.exchange.developers.service import DeveloperSession
from smartapp.identity.apps.model import App
from smartapp.identity.apps.service import Registered
from tests.portal import app_fakes, fakes
from tests.portal.conftest import Portal

OURS = {"Origin": "http://127.0.0.1:8123", "Sec-Fetch-Site": "same-origin"}
VALUES = {
    "ctx": "ctx-ana",
    "uid": fakes.CT,
    "suid": fakes.SERIES,
    "sid": "ses-phone",
    "sop": "1.2",
    "rid": "rep-1",
    "n": 0,
    "provider": "st-elsewhere",
    "handle": app_fakes.HANDLE,
    "grant": app_fakes.GRANT,
    "client_id": "app-1",
    "secret": "sdl_secret",
}
PUBLIC = {"/start", "/developers/link", "/developers/sign-in"}
DEVELOPERS = "/developers/"
_MINE = "/developers/apps/st-elsewhere/app-1"
ALSO_PAGES = {
    f"/st-elsewhere/oauth/approve/{app_fakes.HANDLE}",
    "/developers/link",
    "/developers/new",
    _MINE,
    f"{_MINE}/delete",
}
"""By GET these are pages (or lead to one), that change nothing but in which session a request waits."""

pytestmark = pytest.mark.threat("W1")


@dataclass
class FakeDevelopers:
    """Two developers; what is done is written down."""

    available: bool = True
    live: set[str] = field(default_factory=lambda: {"dse-ana", "dse-dana"})
    calls: list[str] = field(default_factory=list)

    def lookup(self, cookie: str) -> DeveloperSession | None:
        return DeveloperSession(cookie, f"dev-{cookie}", "dev@app.example") if cookie in self.live else None

    def app(self, *_asked: Any) -> App:
        return app_fakes.sample_app()

    def register(self, *_asked: Any, **_more: Any) -> Registered:
        self.calls.append("register")
        return Registered(self.app(), None, "srg_token")

    def change(self, *_asked: Any, **_more: Any) -> Changed:
        self.calls.append("change")
        return Changed(self.app())

    def new_secret(self, *_asked: Any, **_more: Any) -> str:
        self.calls.append("new_secret")
        return "scs_secret"

    def remove(self, *_asked: Any, **_more: Any) -> None:
        self.calls.append("remove")

    def sign_out(self, *_asked: Any, **_more: Any) -> None:
        self.calls.append("sign_out")

    def ask(self, *_asked: Any, **_more: Any) -> None:
        self.calls.append("ask")

    def sign_in(self, *_asked: Any, **_more: Any) -> str:
        self.calls.append("sign_in")
        return "dse-ana"


@pytest.fixture
def developers(portal: Portal) -> FakeDevelopers:
    found = FakeDevelopers()
    given = portal.app.extensions
    given["smartapp.parts"] = replace(given["smartapp.parts"], developers=found)
    return found


@pytest.fixture
def client(portal: Portal, developers: FakeDevelopers) -> FlaskClient:
    """Ana, signed in, and in the same browser as the developer of an app."""
    browser = portal.client()
    browser.set_cookie("smartapp-developer-8123", min(developers.live), domain="127.0.0.1")
    return browser


def _token(portal: Portal, path: str, session: str = "ana") -> str:
    """The right one for this address: of the patient's session, or of the developer's."""
    if path.startswith(DEVELOPERS):
        return portal.keyring.mac("csrf.developer", f"dse-{session}")
    return portal.csrf(f"ses-{session}")


def _changing(portal: Portal) -> list[str]:
    """The addresses of all routes that take POST, with sample values filled in."""
    adapter = portal.app.url_map.bind("127.0.0.1")
    rules = [rule for rule in portal.app.url_map.iter_rules() if rule.methods and "POST" in rule.methods]
    return [adapter.build(rule.endpoint, {name: VALUES[name] for name in rule.arguments}, "POST") for rule in rules]


Forgery = Callable[[Portal, FlaskClient, str], int]
FORGERIES: dict[str, Forgery] = {
    "no token": lambda _p, c, path: c.post(path, headers=OURS).status_code,
    "another session's": lambda p, c, path: (
        c.post(path, headers=OURS, data={"csrf_token": _token(p, path, "dana")}).status_code
    ),
    "of the other kind of session": lambda p, c, path: (
        c.post(path, headers=OURS, data={"csrf_token": _token(p, "" if DEVELOPERS in path else DEVELOPERS)}).status_code
    ),
    "cut short": lambda p, c, path: c.post(path, headers=OURS | {"X-CSRF-Token": _token(p, path)[:-1]}).status_code,
    "in the query": lambda p, c, path: c.post(f"{path}?csrf_token={_token(p, path)}", headers=OURS).status_code,
    "as JSON in plain text": lambda p, c, path: (
        c.post(path, headers=OURS, data=f'{{"csrf_token": "{_token(p, path)}"}}', content_type="text/plain").status_code
    ),
    "from another site": lambda p, c, path: (
        c.post(path, headers={"Sec-Fetch-Site": "cross-site"}, data={"csrf_token": _token(p, path)}).status_code
    ),
    "from another origin": lambda p, c, path: (
        c.post(path, headers={"Origin": "http://127.0.0.1:8124"}, data={"csrf_token": _token(p, path)}).status_code
    ),
    "by GET": lambda p, c, path: c.get(f"{path}?csrf_token={_token(p, path)}").status_code,
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_no_forged_request_changes_anything(
    portal: Portal, client: FlaskClient, developers: FakeDevelopers, forgery: str
) -> None:
    paths = _changing(portal)
    assert len(paths) >= 5
    for path in paths:
        if path in PUBLIC and not forgery.startswith(("from", "by")):
            continue
        if path in ALSO_PAGES and forgery == "by GET":
            assert client.get(path).status_code in {200, 308}
            continue
        assert FORGERIES[forgery](portal, client, path) in {400, 403, 405}, path
    assert portal.sign_in.calls == []
    assert portal.tokens.issued == []
    assert portal.app_grants.calls == []
    assert [call for call in portal.approvals.calls if call[0] != "bind" or forgery != "by GET"] == []
    assert developers.calls == []


def test_the_token_dies_with_its_session(portal: Portal, client: FlaskClient, developers: FakeDevelopers) -> None:
    portal.identity.ended.add("ses-ana")
    developers.live.clear()
    for path in _changing(portal):
        if path not in PUBLIC:
            assert client.post(path, headers=OURS | {"X-CSRF-Token": _token(portal, path)}).status_code == 401
    assert portal.sign_in.calls == []
    assert developers.calls == []


def test_the_right_token_is_enough(portal: Portal, client: FlaskClient, developers: FakeDevelopers) -> None:
    form = {"decision": "deny", "kind": "public", "client_name": "Heart Watch", "provider": "st-elsewhere"}
    for path in sorted(_changing(portal), reverse=True):
        if path not in PUBLIC and not path.endswith(("/sign-out", "everywhere", "/leave")):
            answer = client.post(path, headers=OURS | {"X-CSRF-Token": _token(portal, path)}, data=form)
            assert answer.status_code in {200, 201, 303}, path
    assert {"register", "change", "new_secret", "remove"} <= set(developers.calls)
