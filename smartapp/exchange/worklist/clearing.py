"""Removes items that were settled long ago."""

from datetime import timedelta

from sqlalchemy.orm import Session

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.db.unit import Database
from smartapp.exchange.worklist import store


class Clearing:
    """Any number of workers may do this at once. An item that is still being found is kept: staff said their word on
    it, and would be asked anew.
    """

    def __init__(self, database: Database, audit: AuditTrail, clock: Clock, settled_kept: int) -> None:
        """`settled_kept` in days."""
        self._database = database
        self._audit = audit
        self._clock = clock
        self._kept = timedelta(days=settled_kept)

    def tidy(self) -> None:
        """Removes what is due, written down by hospital. Raises DatabaseBusy, AuditUnavailable."""
        before = self._clock.now() - self._kept
        with self._database.read() as session:
            if not store.has_old(session, before):
                return

        def work(session: Session) -> None:
            for provider, count in sorted(store.remove_old(session, before).items()):
                event = Event("worklist.removed", provider=provider, detail={"count": str(count)})
                self._audit.record(event, session=session)

        self._database.run(work)
