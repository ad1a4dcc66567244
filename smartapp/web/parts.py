"""The services that views use, built once by `bootstrap` and carried by the application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import Flask, current_app

if TYPE_CHECKING:
    from smartapp.audit.service import AuditTrail
    from smartapp.clock import Clock
    from smartapp.db.revisions.service import Revisions
    from smartapp.exchange.alerts.service import Alerts
    from smartapp.exchange.approvals.service import Approvals
    from smartapp.exchange.copies.service import Copies
    from smartapp.exchange.developers.registrations import Registrations
    from smartapp.exchange.developers.service import Developers
    from smartapp.exchange.developers.trace import Traces
    from smartapp.exchange.grants.service import AppGrants
    from smartapp.exchange.sign_in import SignIn
    from smartapp.exchange.worklist.service import Worklist
    from smartapp.identity.apps.logos import Logos
    from smartapp.identity.apps.service import Apps
    from smartapp.identity.service import Identity
    from smartapp.outbound.public import PublicDoor
    from smartapp.records.resources.service import Resources
    from smartapp.records.service import Records
    from smartapp.security.keyring import Keyring
    from smartapp.settings import Settings
    from smartapp.tokens.apps.service import AppTokens
    from smartapp.tokens.limits.service import Limits
    from smartapp.tokens.ohif import OhifDoor
    from smartapp.tokens.signing import SigningKeys
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
    apps: Apps
    logos: Logos
    app_tokens: AppTokens
    approvals: Approvals
    app_grants: AppGrants
    resources: Resources
    limits: Limits
    signing: SigningKeys
    audit: AuditTrail
    public_door: PublicDoor
    registrations: Registrations
    developers: Developers
    traces: Traces
    revisions: Revisions
    worklist: Worklist
    ohif: OhifDoor | None = None
    """None where no OHIF is configured."""


def install(app: Flask, parts: Parts) -> None:
    """Gives `app` its services."""
    app.extensions[_KEY] = parts


def parts() -> Parts:
    """The services of the application that serves the current request."""
    return cast("Parts", current_app.extensions[_KEY])
