"""What everything is built upon."""

from dataclasses import dataclass

from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.db.datakeys import DataKeys
from smartapp.db.engine import make_engine
from smartapp.db.unit import Database
from smartapp.outbound.service import Outbound
from smartapp.security.keyring import Keyring
from smartapp.settings import Settings


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
