"""Writes the Consents that the EHRs are owed."""

import json
import logging

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.db.outbox.service import Entry, Outbox
from smartapp.errors import SmartappError
from smartapp.exchange.grants.consents import Consents
from smartapp.exchange.grants.owing import KIND

_log = logging.getLogger(__name__)


class ConsentJob:
    """Writes each until the EHR has it. An EHR that is away for longer than the queue waits is asked all the same."""

    def __init__(self, outbox: Outbox, consents: Consents, audit: AuditTrail) -> None:
        self._outbox = outbox
        self._consents = consents
        self._audit = audit

    def run_once(self) -> int:
        """Tries those that are due; how many there were. Raises DatabaseBusy."""
        entries = self._outbox.claim(KIND)
        for entry in entries:
            self._one(entry)
        return len(entries)

    def _one(self, entry: Entry) -> None:
        grant_id = str(json.loads(entry.payload)["grant"])
        try:
            self._consents.write(grant_id)
        except SmartappError as error:
            _log.warning("consent %s could not be written: %s", entry.id, error.code)
            self._audit.note(Event("job.retry", detail={"job": KIND, "fault": error.code}))
            if not self._outbox.failed(entry, error.code):
                self._consents.again(grant_id)
        else:
            self._outbox.done(entry)
