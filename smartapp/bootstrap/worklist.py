"""The parts that deal with what staff has to put right."""

from smartapp.bootstrap.ground import Ground
from smartapp.db.outbox.service import Outbox
from smartapp.exchange.worklist.clearing import Clearing
from smartapp.exchange.worklist.desk import StaffDesk
from smartapp.exchange.worklist.notices import Notices
from smartapp.exchange.worklist.service import Worklist
from smartapp.jobs.worklist import WorklistJob


def build_worklist(ground: Ground) -> Worklist:
    """What refreshes write to, and pages ask."""
    return Worklist(ground.database, ground.keyring, ground.datakeys, ground.audit, ground.clock)


def build_clearing(ground: Ground) -> Clearing:
    """What removes items that were settled long ago."""
    return Clearing(ground.database, ground.audit, ground.clock, ground.settings.worklist.settled_kept)


def build_desk(ground: Ground) -> StaffDesk:
    """Where staff look and act."""
    return StaffDesk(ground.database, ground.keyring, ground.datakeys, ground.audit, ground.clock)


def build_worklist_job(ground: Ground, outbox: Outbox) -> WorklistJob:
    """The job that writes to staff; without an address anywhere it has nothing to do."""
    return WorklistJob(Notices(ground.settings, ground.database, outbox, ground.clock), ground.clock)
