"""Forms of other people: every route that changes something is tried, whichever there will be."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

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
}
PUBLIC = {"/start"}
ALSO_PAGES = {f"/st-elsewhere/oauth/approve/{app_fakes.HANDLE}"}
"""By GET these are pages, that change nothing but in which session a request waits."""

pytestmark = pytest.mark.threat("W1")


def _changing(portal: Portal) -> list[str]:
    """The addresses of all routes that take POST, with sample values filled in."""
    adapter = portal.app.url_map.bind("127.0.0.1")
    rules = [rule for rule in portal.app.url_map.iter_rules() if rule.methods and "POST" in rule.methods]
    return [adapter.build(rule.endpoint, {name: VALUES[name] for name in rule.arguments}, "POST") for rule in rules]


Forgery = Callable[[Portal, FlaskClient, str], int]
FORGERIES: dict[str, Forgery] = {
    "no token": lambda _p, c, path: c.post(path, headers=OURS).status_code,
    "another session's": lambda p, c, path: (
        c.post(path, headers=OURS, data={"csrf_token": p.csrf("ses-dana")}).status_code
    ),
    "cut short": lambda p, c, path: c.post(path, headers=OURS | {"X-CSRF-Token": p.csrf()[:-1]}).status_code,
    "in the query": lambda p, c, path: c.post(f"{path}?csrf_token={p.csrf()}", headers=OURS).status_code,
    "as JSON in plain text": lambda p, c, path: (
        c.post(path, headers=OURS, data=f'{{"csrf_token": "{p.csrf()}"}}', content_type="text/plain").status_code
    ),
    "from another site": lambda p, c, path: (
        c.post(path, headers={"Sec-Fetch-Site": "cross-site"}, data={"csrf_token": p.csrf()}).status_code
    ),
    "from another origin": lambda p, c, path: (
        c.post(path, headers={"Origin": "http://127.0.0.1:8124"}, data={"csrf_token": p.csrf()}).status_code
    ),
    "by GET": lambda p, c, path: c.get(f"{path}?csrf_token={p.csrf()}").status_code,
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_no_forged_request_changes_anything(portal: Portal, client: FlaskClient, forgery: str) -> None:
    paths = _changing(portal)
    assert len(paths) >= 5
    for path in paths:
        if path in PUBLIC and not forgery.startswith(("from", "by")):
            continue
        if path in ALSO_PAGES and forgery == "by GET":
            continue
        assert FORGERIES[forgery](portal, client, path) in {400, 403, 405}, path
    assert portal.sign_in.calls == []
    assert portal.tokens.issued == []
    assert portal.app_grants.calls == []
    assert portal.approvals.calls == []


def test_the_token_dies_with_its_session(portal: Portal, client: FlaskClient) -> None:
    portal.identity.ended.add("ses-ana")
    for path in _changing(portal):
        if path not in PUBLIC:
            assert client.post(path, headers=OURS | {"X-CSRF-Token": portal.csrf()}).status_code == 401
    assert portal.sign_in.calls == []


def test_the_right_token_is_enough(portal: Portal, client: FlaskClient) -> None:
    for path in sorted(_changing(portal), reverse=True):
        if path not in PUBLIC and not path.endswith(("/sign-out", "everywhere", "/leave")):
            answer = client.post(path, headers=OURS | {"X-CSRF-Token": portal.csrf()}, data={"decision": "deny"})
            assert answer.status_code in {200, 303}, path
