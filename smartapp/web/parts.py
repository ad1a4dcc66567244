"""The services that views use, built once by `bootstrap` and carried by the application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import Flask, current_app

if TYPE_CHECKING:
    from smartapp.clock import Clock
    from smartapp.exchange.alerts.service import Alerts
    from smartapp.exchange.copies.service import Copies
    from smartapp.exchange.sign_in import SignIn
    from smartapp.identity.service import Identity
    from smartapp.records.service import Records
    from smartapp.security.keyring import Keyring
    from smartapp.settings import Settings
    from smartapp.tokens.ohif import OhifDoor
    from smartapp.tokens.viewer import ViewerTokens

_KEY = "smartapp.parts"


@dataclass(frozen=True)
class Parts:
    """What a view may use. It holds use-cases, not stores: a view cannot go round the question."""

    settings: Settings
    clock: Clock
    keyring: Keyring
    identity: Identity
    records: Records
    sign_in: SignIn
    copies: Copies
    viewer_tokens: ViewerTokens
    alerts: Alerts
    ohif: OhifDoor | None = None
    """None where no OHIF is configured."""


def install(app: Flask, parts: Parts) -> None:
    """Gives `app` its services."""
    app.extensions[_KEY] = parts


def parts() -> Parts:
    """The services of the application that serves the current request."""
    return cast("Parts", current_app.extensions[_KEY])
