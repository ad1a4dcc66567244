"""`docs/apps.md` says what the code does: its addresses, errors, parameters, lifetimes, limits."""

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

from smartapp.authserver import authorize, errors
from smartapp.authserver.discovery import document
from smartapp.consent.scopes.parameters import PARAMETERS
from smartapp.exchange.developers.checks.scope import WORDS
from smartapp.exchange.developers.refusal import Error
from smartapp.settings import Apps
from smartapp.tokens.apps import access, codes
from smartapp.web.errors import oauth
from tests.authserver.house import ISSUER, PROVIDER, AuthHouse
from tests.support.databases import SqliteFiles

TEXT = (Path(__file__).parents[2] / "docs" / "apps.md").read_text(encoding="utf-8")
KINDS: list[type[errors.OAuthError]] = [
    errors.InvalidRequest, errors.InvalidGrant, errors.InvalidScope, errors.UnauthorizedClient,
    errors.UnsupportedGrantType, errors.InvalidClient,
]  # fmt: skip


def told_at_the_app() -> set[str]:
    """The errors that the checks of the authorization endpoint answer with, read from their code."""
    found = set()
    for path in Path(str(authorize.__file__)).parent.glob("checks/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "AnswerRefused":
                first = node.args[0]
                assert isinstance(first, ast.Constant), path
                found.add(str(first.value))
    return found


@pytest.mark.promise("B1")
def test_every_error_is_explained() -> None:
    ours = {str(kind.error) for kind in KINDS} | set(get_args(Error)) | {error for error, _ in oauth._WORDS.values()}
    said = told_at_the_app()
    assert {"invalid_scope", "interaction_required"} <= said
    table = TEXT[TEXT.index("## Errors") :]
    for word in ours | said | {"access_denied", "insufficient_scope"}:
        assert f"`{word}`" in table, word


def test_every_address_is_named(sqlite_files: SqliteFiles, tmp_path: Path) -> None:
    with sqlite_files.ready() as url:
        house = AuthHouse(url, tmp_path)
        with house.built.app.test_request_context():
            told = document.openid(PROVIDER)
        house.close()
    named = [value for value in told.values() if isinstance(value, str) and value.startswith(f"{ISSUER}/")]
    assert len(named) >= 8
    for address in named:
        assert f"`{address.removeprefix(ISSUER)}`" in TEXT, address


def test_every_scope_and_parameter_is_named() -> None:
    for word in WORDS:
        assert f"`{word}`" in TEXT
    for kind, names in PARAMETERS.items():
        row = next(line for line in TEXT.splitlines() if line.startswith(f"| {kind} |"))
        assert set(re.findall(r"`(\w+)`", row)) == set(names)


def test_times_and_limits_are_those_of_the_settings() -> None:
    apps = Apps()
    assert f"| code | {codes.LIFETIME.seconds} seconds" in TEXT
    assert f"{access.LONGEST.seconds} seconds at most; a service's {access.BACKEND.seconds}" in TEXT
    assert apps.refresh_lifetime == 365 * 86400
    assert f"Unused for {apps.dormant_after} days" in TEXT
    limits = (
        f"{apps.requests_per_minute} requests a minute and {apps.bytes_per_hour // 2**30} GiB an hour",
        f"{apps.failures_per_minute} failed authentications",
        f"{apps.registrations_per_hour} attempts to register",
    )
    for words in limits:
        assert words in TEXT


def test_the_quick_start_in_python_is_python() -> None:
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) == 1
    ast.parse(blocks[0])
