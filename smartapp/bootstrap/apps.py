"""The parts that deal with what patients let apps do."""

from dataclasses import dataclass

from smartapp.audit.usage import UsageReader
from smartapp.bootstrap.ground import Ground
from smartapp.consent.grants.service import Grants
from smartapp.db.outbox.service import Outbox
from smartapp.exchange.alerts.service import Alerts
from smartapp.exchange.approvals.service import Approvals
from smartapp.exchange.credentials import Credentials
from smartapp.exchange.grants.desk import Desk
from smartapp.exchange.grants.owing import Owing
from smartapp.exchange.grants.service import AppGrants
from smartapp.identity.apps.service import Apps
from smartapp.identity.service import Identity
from smartapp.launch.keeper import TokenKeeper
from smartapp.records.service import Records
from smartapp.tokens.apps.service import AppTokens
from smartapp.tokens.single_use import SingleUse


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
    """From now on what hangs on a browser session ends within the write that ends the session."""
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
    return Granted(approvals, credentials, app_grants)
