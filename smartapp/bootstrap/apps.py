"""The parts that deal with what patients let apps do."""

from dataclasses import dataclass

from smartapp.access.service import Access
from smartapp.audit.usage import UsageReader
from smartapp.bootstrap.ground import Ground
from smartapp.consent.grants.service import Grants
from smartapp.consent.policy import decide
from smartapp.db.outbox.service import Outbox
from smartapp.exchange.alerts.service import Alerts
from smartapp.exchange.approvals.service import Approvals
from smartapp.exchange.credentials import Credentials
from smartapp.exchange.grants.consents import Consents
from smartapp.exchange.grants.desk import Desk, Ledger
from smartapp.exchange.grants.owing import Owing
from smartapp.exchange.grants.service import AppGrants
from smartapp.exchange.grants.upkeep import Upkeep
from smartapp.fhir.upstream.consents import ConsentWriter
from smartapp.identity.apps.logos import Logos
from smartapp.identity.apps.service import Apps
from smartapp.identity.contacts.service import Contacts
from smartapp.identity.service import Identity
from smartapp.jobs.consents import ConsentJob
from smartapp.jobs.grants import GrantsJob
from smartapp.jobs.logos import LogosJob
from smartapp.launch.ehrs import Ehrs
from smartapp.launch.keeper import TokenKeeper
from smartapp.launch.vault import Vault
from smartapp.records.service import Records
from smartapp.tokens.apps.service import AppTokens
from smartapp.tokens.single_use import SingleUse


def build_alerts(ground: Ground) -> Alerts:
    """What is sent to people, by way of the outbox."""
    return Alerts(
        settings=ground.settings,
        database=ground.database,
        contacts=Contacts(ground.datakeys, ground.clock),
        outbox=Outbox(ground.database, ground.keyring, ground.clock),
        single_use=SingleUse(ground.database, ground.keyring, ground.clock),
        audit=ground.audit,
        clock=ground.clock,
    )


def build_jobs_of_grants(ground: Ground, outbox: Outbox, alerts: Alerts) -> tuple[ConsentJob, GrantsJob]:
    """The jobs of a worker: they need nobody's session, and no record."""
    settings, clock = ground.settings, ground.clock
    identity = Identity(ground.database, ground.keyring, ground.datakeys, ground.audit, clock, settings.sessions)
    apps = Apps(ground.database, ground.keyring, ground.audit, clock)
    grants = Grants(ground.keyring, ground.datakeys, clock)
    tokens = AppTokens(settings.apps, ground.database, ground.keyring, grants, apps, identity, ground.audit, clock)
    vault = Vault(ground.keyring, ground.datakeys)
    keeper = TokenKeeper(Ehrs(settings, ground.outbound, clock), ground.database, vault, ground.audit, clock)
    ledger = Ledger(
        settings=settings,
        clock=clock,
        database=ground.database,
        apps=apps,
        grants=grants,
        tokens=tokens,
        credentials=Credentials(ground.database, keeper, identity, grants),
        owing=Owing(settings, grants, outbox),
        alerts=alerts,
        audit=ground.audit,
    )
    access = Access(decide, ground.audit, identity, clock, tokens)
    consents = Consents(ledger, access, ConsentWriter(settings, ground.outbound, keeper))
    return ConsentJob(outbox, consents, ground.audit), GrantsJob(Upkeep(ledger), clock)


def build_logos_job(ground: Ground) -> LogosJob:
    """The job that fetches the pictures of apps, through the door for strangers' hosts."""
    apps = Apps(ground.database, ground.keyring, ground.audit, ground.clock)
    door = ground.outbound.for_public(loopback=ground.settings.environment == "sandbox")
    return LogosJob(Logos(ground.database, apps, ground.clock), door, ground.clock)


@dataclass(frozen=True)
class Granted:
    """The use-cases of grants, and what they share with others."""

    approvals: Approvals
    credentials: Credentials
    app_grants: AppGrants


def build_grants(
    ground: Ground,
    *,
    identity: Identity,
    keeper: TokenKeeper,
    records: Records,
    alerts: Alerts,
    apps: Apps,
    grants: Grants,
    app_tokens: AppTokens,
) -> Granted:
    """From now on what hangs on a browser session ends within the write that ends the session, and whoever gave a grant
    is told within the write that stops an app's tokens.
    """
    approvals = Approvals(ground.database, ground.keyring, ground.audit, ground.clock)
    credentials = Credentials(ground.database, keeper, identity, grants)
    outbox = Outbox(ground.database, ground.keyring, ground.clock)
    desk = Desk(
        settings=ground.settings,
        clock=ground.clock,
        database=ground.database,
        identity=identity,
        records=records,
        keeper=keeper,
        apps=apps,
        grants=grants,
        tokens=app_tokens,
        approvals=approvals,
        credentials=credentials,
        owing=Owing(ground.settings, grants, outbox),
        alerts=alerts,
        audit=ground.audit,
        usage=UsageReader(ground.database, ground.keyring, ground.datakeys),
        single_use=SingleUse(ground.database, ground.keyring, ground.clock),
    )
    app_grants = AppGrants(desk)
    identity.ends_with(app_grants.session_ended)
    app_tokens.when_stopped(app_grants.tokens_stopped)
    return Granted(approvals, credentials, app_grants)
