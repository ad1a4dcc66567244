"""The operator's desk for apps: `smartapp apps …`. What is decided holds from the next request on, on every worker."""

import argparse
import getpass
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from smartapp.bootstrap.ground import Ground
from smartapp.consent.grants.service import Grants
from smartapp.consent.scopes import algebra, grammar
from smartapp.db.outbox.service import Outbox
from smartapp.errors import ConfigurationError, NotFound
from smartapp.exchange.developers.checks.scope import offered
from smartapp.exchange.grants.owing import Owing
from smartapp.identity.apps.logos import Logos
from smartapp.identity.apps.model import App, AppState
from smartapp.identity.apps.service import Apps

_LONGEST: Final = 180


@dataclass(frozen=True)
class Desk:
    """What the commands need."""

    ground: Ground
    apps: Apps
    logos: Logos

    @classmethod
    def of(cls, ground: Ground) -> "Desk":
        """The desk on this ground."""
        apps = Apps(ground.database, ground.keyring, ground.audit, ground.clock)
        outbox = Outbox(ground.database, ground.keyring, ground.clock)
        grants = Grants(ground.keyring, ground.datakeys, ground.clock)
        apps.when_decided(Owing(ground.settings, grants, outbox).decided)
        return cls(ground, apps, Logos(ground.database, apps, ground.clock))

    def app(self, client_id: str) -> App:
        """The app with this id, at whichever hospital. ConfigurationError, with a sentence, when there is none."""
        for provider in self.ground.settings.providers:
            found = self.apps.find(provider.id, client_id)
            if found is not None:
                return found
        raise ConfigurationError(f"There is no app {client_id}: see `smartapp apps list`.")

    def decide(
        self,
        app: App,
        state: AppState,
        ground: str,
        *,
        offered: str | None = None,
    ) -> App:
        """Writes a decision down, and who made it: the person at this machine's account."""
        try:
            return self.apps.decide(app.provider, app.client_id, state, ground=ground, by=_operator(), offered=offered)
        except NotFound:
            raise ConfigurationError(f"The app {app.client_id} was deleted meanwhile.") from None


Action = Callable[[argparse.Namespace, Desk], Iterator[str]]


def lines(arguments: argparse.Namespace, ground: Ground) -> Iterator[str]:
    """Does the action that `arguments` name; the lines to print. ConfigurationError says what cannot be done."""
    return _ACTIONS[arguments.action](arguments, Desk.of(ground))


def _list(arguments: argparse.Namespace, desk: Desk) -> Iterator[str]:
    found = desk.apps.list(state=AppState.PENDING if arguments.pending else None)
    if not found:
        yield "There are no apps that wait." if arguments.pending else "There are no apps."
    for app in found:
        yield "  ".join((app.client_id, app.provider, app.state.value, app.metadata.client_name, _left(app, desk)))


def _show(arguments: argparse.Namespace, desk: Desk) -> Iterator[str]:
    app = desk.app(arguments.client_id)
    said = app.metadata
    yield f"{said.client_name} ({app.client_id}) at {app.provider}: {app.state.value} {_left(app, desk)}".rstrip()
    yield f"registered {_day(app.created_at)}" + (f", decided {_day(app.decided_at)}" if app.decided_at else "")
    if app.ground:
        yield f"ground of the last decision: {app.ground}"
    yield "What it says of itself, unverified:"
    facts = {
        "website": said.client_uri, "privacy policy": said.policy_uri, "terms": said.tos_uri, "logo": said.logo_uri,
        "contacts": ", ".join(said.contacts), "redirect URIs": " ".join(said.redirect_uris),
        "launch": said.launch_uri, "grant types": " ".join(said.grant_types),
        "authentication": said.token_endpoint_auth_method, "keys": said.jwks_uri or _kids(app),
        "software": f"{said.software_id} {said.software_version}".strip(), "scope": said.scope,
    }  # fmt: skip
    for name, value in facts.items():
        if value:
            yield f"  {name}: {value}"
    yield from _picture(arguments, desk, app)
    if app.offered:
        yield f"You limited its scope to: {app.offered}"


def _picture(arguments: argparse.Namespace, desk: Desk, app: App) -> Iterator[str]:
    png = desk.logos.find(app)
    if png is None:
        if app.metadata.logo_uri:
            yield "  its picture was not fetched (yet): `smartapp worker` does it, and tries again once a day"
        return
    if arguments.picture:
        arguments.picture.write_bytes(png)
    yield f"  its picture: {arguments.picture or 'see --picture FILE.png'}"


def _approve(arguments: argparse.Namespace, desk: Desk) -> Iterator[str]:
    app = desk.app(arguments.client_id)
    if app.state is not AppState.PENDING:
        raise ConfigurationError(f"The app is {app.state.value}, not pending.")
    desk.decide(app, AppState.ACTIVE, "")
    yield f"{app.metadata.client_name} may ask patients from now on."


def _refuse(arguments: argparse.Namespace, desk: Desk) -> Iterator[str]:
    app = desk.app(arguments.client_id)
    if app.state is not AppState.PENDING:
        raise ConfigurationError(f"The app is {app.state.value}, not pending: an active one is suspended.")
    desk.decide(app, AppState.REFUSED, _ground(arguments))
    yield f"{app.metadata.client_name} is refused. Its developer sees the ground."


def _suspend(arguments: argparse.Namespace, desk: Desk) -> Iterator[str]:
    app = desk.app(arguments.client_id)
    desk.decide(app, AppState.SUSPENDED, _ground(arguments))
    yield f"{app.metadata.client_name} is suspended: its tokens open nothing from now on."


def _reinstate(arguments: argparse.Namespace, desk: Desk) -> Iterator[str]:
    app = desk.app(arguments.client_id)
    if app.state not in {AppState.SUSPENDED, AppState.REFUSED}:
        raise ConfigurationError(f"The app is {app.state.value}: there is nothing to take back.")
    desk.decide(app, AppState.ACTIVE, "")
    yield f"{app.metadata.client_name} works again."


def _limit(arguments: argparse.Namespace, desk: Desk) -> Iterator[str]:
    app = desk.app(arguments.client_id)
    asked = grammar.parse(arguments.scope)
    if asked.unusable:
        raise ConfigurationError(f"This is no scope: {' '.join(asked.unusable)}")
    kept = algebra.intersect(asked, grammar.parse(offered(app.metadata.grant_types)))
    if arguments.scope and algebra.is_empty(kept):
        raise ConfigurationError("Nothing of this scope is offered to this app: suspend it instead.")
    changed = desk.decide(app, app.state, app.ground, offered=grammar.text(kept))
    yield f"{app.metadata.client_name} may ask for: {changed.scope}"


def _ground(arguments: argparse.Namespace) -> str:
    words = " ".join(arguments.reason.split())
    if not words or len(words) > _LONGEST:
        raise ConfigurationError(f"--reason must say what was found, in at most {_LONGEST} characters.")
    return f"{arguments.ground}: {words}"


def _left(app: App, desk: Desk) -> str:
    """How long a pending app may still be kept waiting (`[apps] review_within`)."""
    if app.state is not AppState.PENDING:
        return ""
    due = (app.decided_at or app.created_at) + timedelta(days=desk.ground.settings.apps.review_within)
    days = (due - desk.ground.clock.now()).days
    return f"to be decided within {days} days" if days > 0 else "TO BE DECIDED TODAY" if days == 0 else "OVERDUE"


def _kids(app: App) -> str:
    return " ".join(f"{key['kid']} ({key['kty']})" for key in (app.metadata.jwks or {}).get("keys", ()))


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _operator() -> str:
    return f"operator {getpass.getuser()}"


_ACTIONS: Final[Mapping[str, Action]] = {
    "list": _list,
    "show": _show,
    "approve": _approve,
    "refuse": _refuse,
    "suspend": _suspend,
    "reinstate": _reinstate,
    "limit": _limit,
}
