"""`smartapp apps …`: the operator's desk, on the tables that it would stand on."""

import getpass
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from smartapp import cli
from smartapp.bootstrap.ground import Ground, lay_ground
from smartapp.clock import SystemClock
from smartapp.identity.apps.logos import Logos
from smartapp.identity.apps.model import App, AppState, AuthMethod
from smartapp.identity.apps.service import Apps
from smartapp.settings import load
from tests.access import trail
from tests.support.clock import FixedClock
from tests.support.configuration import shipped
from tests.tokens.apps.house import metadata

Say = Callable[..., tuple[int, str]]


@dataclass
class Shop:
    """One installation, with the apps that wait there."""

    config: Path
    ground: Ground
    clock: FixedClock = field(default_factory=lambda: FixedClock(datetime.now(UTC)))

    @property
    def apps(self) -> Apps:
        return Apps(self.ground.database, self.ground.keyring, self.ground.audit, self.clock)

    @property
    def provider(self) -> str:
        return self.ground.settings.providers[0].id

    def waiting(self, state: AppState = AppState.PENDING, method: AuthMethod = "none", **said: Any) -> App:
        return self.apps.register(metadata(method, **said), provider=self.provider, state=state).app

    def now(self, app: App) -> App:
        found = self.apps.find(self.provider, app.client_id)
        assert found
        return found


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    config = shipped(tmp_path)
    assert cli.main(["--config", str(config), "keys", "init"]) == 0
    assert cli.main(["--config", str(config), "db", "upgrade"]) == 0
    ground = lay_ground(load(config, {}), SystemClock())
    yield Shop(config, ground)
    ground.database.engine.dispose()


@pytest.fixture
def say(shop: Shop, capsys: pytest.CaptureFixture[str]) -> Say:
    capsys.readouterr()

    def run(*arguments: str) -> tuple[int, str]:
        status = cli.main(["--config", str(shop.config), "apps", *arguments])
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


@pytest.mark.promise("B1")
def test_those_that_wait_are_listed_with_the_time_that_is_left(shop: Shop, say: Say) -> None:
    assert say("list") == (0, "There are no apps.\n")
    late, soon = shop.waiting(client_name="Late"), shop.waiting(client_name="Soon")
    shop.waiting(AppState.ACTIVE, client_name="Works")
    shop.clock.advance(-timedelta(days=9).total_seconds())
    overdue = shop.waiting(client_name="Overdue")
    status, said = say("list", "--pending")
    assert status == 0
    assert [line.split()[0] for line in said.splitlines()][-1] == overdue.client_id
    assert "OVERDUE" in said.splitlines()[-1]
    assert said.count("to be decided within") == 2
    assert {late.client_id, soon.client_id} <= set(said.split())
    assert "Works" not in said
    assert "Works" in say("list")[1]


@pytest.mark.promise("B1")
def test_what_an_app_says_of_itself_is_shown_as_its_own_word(shop: Shop, say: Say, tmp_path: Path) -> None:
    app = shop.waiting(
        method="private_key_jwt",
        client_uri="https://app.example/", policy_uri="https://app.example/privacy", tos_uri="https://app.example/terms",
        logo_uri="https://app.example/logo.png", jwks={"keys": [{"kty": "EC", "kid": "key-7"}]},
    )  # fmt: skip
    status, said = say("show", app.client_id)
    assert status == 0
    for told in (
        "unverified", "pending", app.metadata.policy_uri, app.metadata.tos_uri, app.metadata.logo_uri,
        *app.metadata.contacts, *app.metadata.redirect_uris, "key-7 (EC)", app.metadata.scope, "not fetched",
    ):  # fmt: skip
        assert told in said
    Logos(shop.ground.database, shop.apps, shop.clock).keep(app, b"\x89PNG")
    assert "see --picture" in say("show", app.client_id)[1]
    assert say("show", app.client_id, "--picture", str(tmp_path / "logo.png"))[0] == 0
    assert (tmp_path / "logo.png").read_bytes() == b"\x89PNG"


@pytest.mark.promise("B1")
def test_a_decision_is_kept_with_its_ground_and_who_made_it(shop: Shop, say: Say) -> None:
    app = shop.waiting()
    assert say("approve", app.client_id)[0] == 0
    assert shop.now(app).state is AppState.ACTIVE
    refusing = ("suspend", app.client_id, "--ground", "security", "--reason", "its  secret\nis public")
    assert say(*refusing)[0] == 0
    assert (shop.now(app).state, shop.now(app).ground) == (AppState.SUSPENDED, "security: its secret is public")
    assert say("reinstate", app.client_id)[0] == 0
    assert shop.now(app).state is AppState.ACTIVE
    audited: Any = shop.ground  # it has what the trail's reader needs
    rows = trail.rows(audited, "app.decided")
    assert [row.severity for row in rows] == ["info", "high", "info"]
    assert {trail.detail(audited, row)["by"] for row in rows} == {f"operator {getpass.getuser()}"}
    assert trail.detail(audited, rows[1])["ground"] == "security: its secret is public"


@pytest.mark.promise("B1")
@pytest.mark.parametrize("action", ["refuse", "suspend"])
def test_without_a_ground_of_identity_or_security_nothing_is_refused(
    shop: Shop, say: Say, action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    app = shop.waiting()
    for ground in ((), ("--ground", "what it does with data", "--reason", "advertising"), ("--ground", "identity")):
        with pytest.raises(SystemExit):
            cli.main(["--config", str(shop.config), "apps", action, app.client_id, *ground])
    capsys.readouterr()
    assert say(action, app.client_id, "--ground", "identity", "--reason", "  ")[0] == 2
    assert say(action, app.client_id, "--ground", "identity", "--reason", "x" * 181)[0] == 2
    assert shop.now(app).state is AppState.PENDING


def test_what_cannot_be_done_is_said_and_not_done(shop: Shop, say: Say) -> None:
    assert say("show", "app-none")[0] == 2
    active = shop.waiting(AppState.ACTIVE)
    refusing = ("--ground", "identity", "--reason", "nobody knows its maker")
    for arguments in (("approve", active.client_id), ("refuse", active.client_id, *refusing),
                      ("reinstate", active.client_id)):  # fmt: skip
        status, said = say(*arguments)
        assert status == 2
        assert "active" in said
    assert shop.now(active).state is AppState.ACTIVE


@pytest.mark.promise("B1")
def test_a_scope_is_limited_to_what_is_asked_and_offered(shop: Shop, say: Say) -> None:
    app = shop.waiting(AppState.ACTIVE)
    status, said = say("limit", app.client_id, "--scope", "launch/patient patient/ImagingStudy.rs")
    assert status == 0
    assert "patient/ImagingStudy.rs" in said
    assert shop.now(app).scope == "launch/patient patient/ImagingStudy.rs"
    assert say("limit", app.client_id, "--scope", "patient/?? ")[0] == 2
    assert say("limit", app.client_id, "--scope", "system/Patient.rs")[0] == 2
    assert shop.now(app).scope == "launch/patient patient/ImagingStudy.rs"
    assert say("limit", app.client_id, "--scope", "")[0] == 0
    assert shop.now(app).scope == app.metadata.scope
