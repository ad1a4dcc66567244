"""The parts that deal with those who write apps."""

from dataclasses import dataclass

from smartapp.bootstrap.ground import Ground
from smartapp.db.outbox.service import Outbox
from smartapp.exchange.developers.registrations import Registrations
from smartapp.exchange.developers.service import Developers
from smartapp.exchange.developers.trace import Traces
from smartapp.identity.apps.service import Apps
from smartapp.tokens.apps.service import AppTokens
from smartapp.tokens.limits.service import Limits
from smartapp.tokens.single_use import SingleUse


@dataclass(frozen=True)
class Registering:
    """The use-cases of developers, and what they share with others."""

    registrations: Registrations
    developers: Developers
    traces: Traces


def build_registering(ground: Ground, apps: Apps, app_tokens: AppTokens, limits: Limits) -> Registering:
    """One registration policy for programs and pages."""
    registrations = Registrations(
        ground.settings, apps, app_tokens.first_registration, limits, ground.audit, ground.clock
    )
    traces = Traces(ground.database, apps, ground.clock)
    developers = Developers(
        settings=ground.settings,
        database=ground.database,
        keyring=ground.keyring,
        datakeys=ground.datakeys,
        single_use=SingleUse(ground.database, ground.keyring, ground.clock),
        outbox=Outbox(ground.database, ground.keyring, ground.clock),
        apps=apps,
        registrations=registrations,
        traces=traces,
        audit=ground.audit,
        clock=ground.clock,
    )
    return Registering(registrations, developers, traces)
