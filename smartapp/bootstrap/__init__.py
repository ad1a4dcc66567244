"""The only place that chooses concrete parts: from settings to an application."""

from dataclasses import dataclass
from functools import partial

from flask import Flask

from smartapp.access.service import Access
from smartapp.audit.model import Event
from smartapp.audit.usage import UsageReader
from smartapp.authserver.blueprints import BLUEPRINTS as AUTHSERVER
from smartapp.bootstrap.apps import Granted, build_alerts, build_grants
from smartapp.bootstrap.developers import build_registering
from smartapp.bootstrap.ground import Ground, lay_ground
from smartapp.bootstrap.restored import build_watch
from smartapp.bootstrap.worklist import build_clearing, build_worklist
from smartapp.clock import Clock, SystemClock
from smartapp.consent.grants.service import Grants
from smartapp.consent.policy import decide
from smartapp.db.revisions.service import Revisions
from smartapp.dicomweb.core.cache import InstanceCache
from smartapp.dicomweb.core.render import RenderPool
from smartapp.dicomweb.gateway.routes import blueprint as dicomweb_gateway
from smartapp.dicomweb.upstream.alarm import AuditedAlarm
from smartapp.dicomweb.upstream.service import PacsReader
from smartapp.exchange.alerts.service import Alerts
from smartapp.exchange.copies.progress import Board
from smartapp.exchange.copies.service import Copies
from smartapp.exchange.housekeeping import Housekeeping
from smartapp.exchange.restored.watch import Watch
from smartapp.exchange.sign_in import SignIn
from smartapp.exchange.worklist.aside import Aside
from smartapp.fhir.facade.routes import blueprint as fhir_facade
from smartapp.fhir.upstream.service import FhirReader
from smartapp.identity.apps.logos import Logos
from smartapp.identity.apps.service import Apps
from smartapp.identity.service import Identity
from smartapp.launch.ehrs import Ehrs
from smartapp.launch.keeper import TokenKeeper
from smartapp.launch.service import Launcher
from smartapp.launch.vault import Vault
from smartapp.portal.blueprints import BLUEPRINTS as PORTAL
from smartapp.portal.ohif.routes import BLUEPRINTS as OHIF
from smartapp.records.index import IndexKeeper
from smartapp.records.resources.granting import GrantRecord
from smartapp.records.resources.service import Resources
from smartapp.records.resources.since import Since
from smartapp.records.service import Records
from smartapp.settings import Settings
from smartapp.tokens.apps.service import AppTokens
from smartapp.tokens.limits.service import Limits
from smartapp.tokens.ohif import OhifDoor
from smartapp.tokens.signing import SigningKeys
from smartapp.tokens.single_use import SingleUse
from smartapp.tokens.viewer import ViewerTokens
from smartapp.web.app import build_app
from smartapp.web.parts import Parts

__all__ = ["Ground", "House", "build_house", "create_app", "lay_ground"]


@dataclass(frozen=True)
class House:
    """The application, and what a serving process runs beside it and closes at its end."""

    app: Flask
    housekeeping: Housekeeping
    pool: RenderPool
    aside: Aside
    watch: Watch | None

    def start(self) -> None:
        """For a process that serves, after its fork. A database of before is dealt with first."""
        if self.watch is not None:
            self.watch.start()
        self.housekeeping.start()

    def close(self) -> None:
        """For an orderly exit: writes what is left and ends the child processes."""
        self.aside.close()
        self.housekeeping.stop()
        if self.watch is not None:
            self.watch.stop()
        self.pool.close()


def create_app(settings: Settings, *, clock: Clock | None = None) -> Flask:
    """The application. `clock` lets tests decide what time it is.

    Raises ConfigurationError and KeysUnavailable for what cannot be used: a start is refused, never half made.
    """
    return build_house(lay_ground(settings, clock or SystemClock())).app


def build_house(ground: Ground) -> House:
    """Everything built upon the ground; nothing is started yet.

    Longer than functions are elsewhere: it is the list of all parts, and decides nothing.
    """
    settings, clock = ground.settings, ground.clock
    identity = Identity(ground.database, ground.keyring, ground.datakeys, ground.audit, clock, settings.sessions)
    apps = Apps(ground.database, ground.keyring, ground.audit, clock)
    grants = Grants(ground.keyring, ground.datakeys, clock)
    app_tokens = _app_tokens(ground, identity, apps, grants)
    access = Access(decide, ground.audit, identity, clock, app_tokens)
    ehrs = Ehrs(settings, ground.outbound, clock)
    keeper = TokenKeeper(ehrs, ground.database, Vault(ground.keyring, ground.datakeys), ground.audit, clock)
    fhir = FhirReader(settings, ground.outbound, keeper, ground.audit, clock)
    pool = RenderPool(settings.rendering)
    records, resources, index = _reading(ground, access, fhir, keeper, pool, grants, apps)
    alerts = build_alerts(ground)
    viewer_tokens = ViewerTokens(ground.database, ground.keyring, identity, clock)
    granted = build_grants(
        ground,
        identity=identity,
        keeper=keeper,
        records=records,
        alerts=alerts,
        apps=apps,
        grants=grants,
        app_tokens=app_tokens,
    )
    index.when_replaced(granted.app_grants.freeze)
    worklist = build_worklist(ground)
    aside = Aside(worklist, ground.audit)
    index.when_refreshed(aside)
    kept = InstanceCache(settings.storage, ground.datakeys, clock, partial(_full, ground))
    limits = Limits(settings.apps, ground.database, ground.keyring, clock)
    registering = build_registering(ground, apps, app_tokens, limits)
    parts = Parts(
        settings=settings,
        clock=clock,
        keyring=ground.keyring,
        identity=identity,
        records=records,
        copies=Copies(settings, records, identity, ground.audit, clock, Board(kept, clock)),
        sign_in=_sign_in(ground, ehrs, keeper, access, fhir, identity, alerts, granted),
        alerts=alerts,
        viewer_tokens=viewer_tokens,
        apps=apps,
        logos=Logos(ground.database, apps, clock),
        app_tokens=app_tokens,
        approvals=granted.approvals,
        app_grants=granted.app_grants,
        resources=resources,
        audit=ground.audit,
        public_door=ground.outbound.for_public(loopback=settings.environment == "sandbox"),
        signing=SigningKeys(settings.keys.dir, clock),
        limits=limits,
        registrations=registering.registrations,
        developers=registering.developers,
        traces=registering.traces,
        worklist=worklist,
        revisions=Revisions(ground.database, clock),
        ohif=_ohif(ground, identity, viewer_tokens),
    )
    app = build_app(parts, (*PORTAL, *(OHIF if parts.ohif else ()), dicomweb_gateway, fhir_facade, *AUTHSERVER))
    housekeeping = Housekeeping(
        ground.audit, identity, app_tokens, granted.credentials, build_clearing(ground), registering.traces
    )
    watch = build_watch(ground, identity, app_tokens, registering.developers, granted.credentials)
    return House(app, housekeeping, pool, aside, watch)


def _app_tokens(ground: Ground, identity: Identity, apps: Apps, grants: Grants) -> AppTokens:
    return AppTokens(
        ground.settings.apps, ground.database, ground.keyring, grants, apps, identity, ground.audit, ground.clock
    )


def _sign_in(
    ground: Ground,
    ehrs: Ehrs,
    keeper: TokenKeeper,
    access: Access,
    fhir: FhirReader,
    identity: Identity,
    alerts: Alerts,
    granted: Granted,
) -> SignIn:
    return SignIn(
        settings=ground.settings,
        clock=ground.clock,
        database=ground.database,
        launcher=_launcher(ground, ehrs, keeper),
        keeper=keeper,
        access=access,
        fhir=fhir,
        identity=identity,
        alerts=alerts,
        approvals=granted.approvals,
        app_grants=granted.app_grants,
        credentials=granted.credentials,
    )


def _launcher(ground: Ground, ehrs: Ehrs, keeper: TokenKeeper) -> Launcher:
    single_use = SingleUse(ground.database, ground.keyring, ground.clock)
    return Launcher(ground.settings, ehrs, keeper, ground.keyring, single_use, ground.audit, ground.clock)


def _ohif(ground: Ground, identity: Identity, tokens: ViewerTokens) -> OhifDoor | None:
    if ground.settings.ohif is None:
        return None
    return OhifDoor(ground.database, identity, SingleUse(ground.database, ground.keyring, ground.clock), tokens)


def _full(ground: Ground) -> None:
    """The cache's disk takes no more: answers go on without it (threat F18). Written beside the request."""
    ground.audit.note(Event("disk.full", "high", detail={"where": "cache"}), later=True)


def _reading(
    ground: Ground,
    access: Access,
    fhir: FhirReader,
    keeper: TokenKeeper,
    pool: RenderPool,
    grants: Grants,
    apps: Apps,
) -> tuple[Records, Resources, IndexKeeper]:
    """The use-cases that read, on one index and one cache."""
    settings, alarm = ground.settings, AuditedAlarm(ground.audit)
    pacs = {
        provider.id: PacsReader(provider, ground.outbound, keeper, settings.upstreams, alarm)
        for provider in settings.providers
    }
    index = IndexKeeper(
        settings,
        access,
        fhir,
        pacs,
        ground.database,
        ground.keyring,
        ground.datakeys,
        ground.clock,
        ground.audit,
        names=apps.called,
    )
    cache = InstanceCache(settings.storage, ground.datakeys, ground.clock, partial(_full, ground))
    usage = UsageReader(ground.database, ground.keyring, ground.datakeys)
    granting = GrantRecord(settings, ground.database, grants, apps, usage, ground.clock)
    records = Records(settings, access, index, fhir, pacs, cache, pool, ground.audit, ground.clock)
    since = Since(cache, ground.clock)
    return records, Resources(settings, records.gate, records.view, fhir, ground.audit, since, granting), index
