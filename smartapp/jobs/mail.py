"""Sends the letters that wait in the outbox."""

import json
import logging
from datetime import datetime
from typing import Final

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.db.outbox.service import Entry, Outbox
from smartapp.errors import DatabaseBusy, SmartappError
from smartapp.outbound.mail import Letter, MailDoor, MailRefused

KIND: Final = "mail"
_log = logging.getLogger(__name__)


class MailJob:
    """Delivers at least once, and never twice knowingly.

    A letter that the server took, and that could not be crossed out since the database was away, is remembered here
    and crossed out later. Only a kill between the two sends it again, with the Message-ID it had.
    """

    def __init__(self, outbox: Outbox, door: MailDoor, sender: str, clock: Clock, audit: AuditTrail) -> None:
        self._outbox = outbox
        self._door = door
        self._domain = sender.rpartition("@")[2]
        self._clock = clock
        self._audit = audit
        self._taken: set[str] = set()

    def run_once(self) -> int:
        """Tries the letters that are due; how many there were. Raises DatabaseBusy."""
        entries = self._outbox.claim(KIND)
        for entry in entries:
            if entry.id in self._taken or self._deliver(entry):
                self._cross_out(entry)
        return len(entries)

    def _deliver(self, entry: Entry) -> bool:
        """Whether the letter has nothing left to be done for it."""
        try:
            letter = self._letter(entry)
            if letter is not None:
                self._door.send(letter)
        except MailRefused as error:
            self._failed(entry, error.code, for_ever=True)
            return False
        except (ValueError, KeyError, TypeError):
            self._failed(entry, "unreadable", for_ever=True)
            return False
        except SmartappError as error:
            self._failed(entry, error.code)
            return False
        return True

    def _letter(self, entry: Entry) -> Letter | None:
        """None for a letter that came too late to be of use: its code has lapsed."""
        said = json.loads(entry.payload)
        if said["not_after"] and datetime.fromisoformat(said["not_after"]) <= self._clock.now():
            return None
        message_id = f"<{entry.id}@{self._domain}>"
        return Letter(said["to"], said["subject"], said["text"], said["language"], message_id, entry.created_at)

    def _cross_out(self, entry: Entry) -> None:
        try:
            self._outbox.done(entry)
            self._taken.discard(entry.id)
        except DatabaseBusy:
            self._taken.add(entry.id)
            raise

    def _failed(self, entry: Entry, fault: str, *, for_ever: bool = False) -> None:
        again = self._outbox.failed(entry, fault, for_ever=for_ever)
        self._audit.note(Event("notify.retry" if again else "job.dead", detail={"job": KIND, "fault": fault}))
        _log.warning("mail %s %s: %s", entry.id, "will be tried again" if again else "is given up", fault)
