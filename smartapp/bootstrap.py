"""The only place that chooses concrete parts: from settings to an application."""

from dataclasses import dataclass

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from smartapp.access.service import Access
from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock, SystemClock
from smartapp.consent.policy import decide
from smartapp.db import schema
from smartapp.db.datakeys import DataKeys
from smartapp.db.engine import make_engine
from smartapp.db.unit import Database
from smartapp.dicomweb.core.cache import InstanceCache
from smartapp.dicomweb.core.render import RenderPool
from smartapp.dicomweb.gateway.routes import blueprint as dicomweb_gateway
from smartapp.dicomweb.upstream.alarm import AuditedAlarm
from smartapp.dicomweb.upstream.diagnosis import probe_pacs
from smartapp.dicomweb.upstream.service import PacsReader
from smartapp.errors import SmartappError
from smartapp.exchange.housekeeping import Housekeeping
from smartapp.exchange.sign_in import SignIn
from smartapp.fhir.upstream.service import FhirReader
from smartapp.identity.service import Identity
from smartapp.launch.diagnosis import advice, probe_ehr
from smartapp.launch.ehr_keys import EhrKeys
from smartapp.launch.ehrs import Ehrs
from smartapp.launch.keeper import TokenKeeper
from smartapp.launch.service import Launcher
from smartapp.launch.vault import Vault
from smartapp.outbound.service import Outbound
from smartapp.portal.blueprints import BLUEPRINTS as PORTAL
from smartapp.records.index import IndexKeeper
from smartapp.records.service import Records
from smartapp.security.keyring import Keyring
from smartapp.settings import Provider, Settings
from smartapp.tokens.single_use import SingleUse
from smartapp.tokens.viewer import ViewerTokens
from smartapp.web.app import build_app
from smartapp.web.parts import Parts


@dataclass(frozen=True)
class Ground:
    """What everything stands on: time, keys, the database, the trail and the door to the network."""

    settings: Settings
    clock: Clock
    keyring: Keyring
    database: Database
    datakeys: DataKeys
    audit: AuditTrail
    outbound: Outbound


def lay_ground(settings: Settings, clock: Clock) -> Ground:
    """Opens keys and database. Raises KeysUnavailable; the database is first asked when it is first needed."""
    keyring = Keyring.load(settings.keys.dir)
    database = Database(make_engine(settings.database))
    datakeys = DataKeys(database, keyring, clock)
    audit = AuditTrail(database, keyring, datakeys, clock)
    return Ground(settings, clock, keyring, database, datakeys, audit, Outbound(settings.upstreams, clock))


@dataclass(frozen=True)
class House:
    """The application, and what a serving process runs beside it and closes at its end."""

    app: Flask
    housekeeping: Housekeeping
    pool: RenderPool

    def close(self) -> None:
        """For an orderly exit: writes what is left and ends the child processes."""
        self.housekeeping.stop()
        self.pool.close()


def create_app(settings: Settings, *, clock: Clock | None = None) -> Flask:
    """The application. `clock` lets tests decide what time it is.

    Raises ConfigurationError and KeysUnavailable for what cannot be used: a start is refused, never half made.
    """
    return build_house(lay_ground(settings, clock or SystemClock())).app


def build_house(ground: Ground) -> House:
    """Everything built upon the ground; nothing is started yet."""
    settings, clock = ground.settings, ground.clock
    identity = Identity(ground.database, ground.keyring, ground.datakeys, ground.audit, clock, settings.sessions)
    access = Access(decide, ground.audit, identity, clock)
    ehrs = Ehrs(settings, ground.outbound, clock)
    keeper = TokenKeeper(ehrs, ground.database, Vault(ground.keyring, ground.datakeys), ground.audit, clock)
    fhir = FhirReader(settings, ground.outbound, keeper, ground.audit, clock)
    pool = RenderPool(settings.rendering)
    parts = Parts(
        settings=settings,
        clock=clock,
        keyring=ground.keyring,
        identity=identity,
        records=_records(ground, access, fhir, keeper, pool),
        sign_in=SignIn(
            settings=settings,
            clock=clock,
            database=ground.database,
            launcher=_launcher(ground, ehrs, keeper),
            keeper=keeper,
            access=access,
            fhir=fhir,
            identity=identity,
        ),
        viewer_tokens=ViewerTokens(ground.database, ground.keyring, identity, clock),
    )
    app = build_app(parts, (*PORTAL, dicomweb_gateway))
    return House(app, Housekeeping(ground.audit, identity, keeper), pool)


def _launcher(ground: Ground, ehrs: Ehrs, keeper: TokenKeeper) -> Launcher:
    single_use = SingleUse(ground.database, ground.keyring, ground.clock)
    return Launcher(ground.settings, ehrs, keeper, ground.keyring, single_use, ground.audit, ground.clock)


def _records(ground: Ground, access: Access, fhir: FhirReader, keeper: TokenKeeper, pool: RenderPool) -> Records:
    settings, alarm = ground.settings, AuditedAlarm(ground.audit)
    pacs = {
        provider.id: PacsReader(provider, ground.outbound, keeper, settings.upstreams, alarm)
        for provider in settings.providers
    }
    index = IndexKeeper(settings, access, fhir, pacs, ground.database, ground.keyring, ground.datakeys, ground.clock)
    cache = InstanceCache(settings.storage, ground.datakeys, ground.clock)
    return Records(settings, access, index, fhir, pacs, cache, pool, ground.audit)


@dataclass(frozen=True)
class Check:
    """One finding of `smartapp doctor`: what was looked at, whether it works, and what was seen or is to be done."""

    name: str
    ok: bool
    sentence: str


def diagnose(settings: Settings) -> list[Check]:
    """Looks at keys, tables, and each provider's EHR and PACS, as they would be used. Reads nobody's data."""
    ground = lay_ground(settings, SystemClock())
    ehrs, keys = Ehrs(settings, ground.outbound, ground.clock), EhrKeys(ground.clock)
    found = [Check("keys", ok=True, sentence="key files can be used"), _check_tables(ground)]
    for provider in settings.providers:
        found.append(_check_ehr(ehrs, keys, provider.id))
        found.append(_check_pacs(provider, ground.outbound))
    ground.database.engine.dispose()
    return found


def _check_tables(ground: Ground) -> Check:
    try:
        current = schema.is_current(ground.database.engine)
    except SQLAlchemyError:
        return Check("database", ok=False, sentence="cannot be reached: look at [database] url")
    return Check("database", ok=current, sentence="at the newest revision" if current else "run `smartapp db upgrade`")


def _check_ehr(ehrs: Ehrs, keys: EhrKeys, provider_id: str) -> Check:
    name = f"EHR of {provider_id}"
    try:
        return Check(name, ok=True, sentence=probe_ehr(ehrs, keys, provider_id))
    except SmartappError as error:
        return Check(name, ok=False, sentence=advice(ehrs, provider_id, error))


def _check_pacs(provider: Provider, outbound: Outbound) -> Check:
    name = f"PACS of {provider.id}"
    try:
        return Check(name, ok=True, sentence=probe_pacs(provider, outbound))
    except SmartappError as error:
        return Check(name, ok=False, sentence=f"does not answer as it should ({error.code})")
