"""Disclosures: opened by a committed row before the first byte, reused while they cover, closed by one outcome row."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from smartapp.audit import store
from smartapp.audit.journal import Entry, Journal
from smartapp.audit.model import EXTENTS, Outcome, Patient
from smartapp.audit.store import Cover, Ending, Open
from smartapp.clock import Clock
from smartapp.db.unit import Database
from smartapp.ids import new_id

IDLE: Final = timedelta(minutes=5)
"""A disclosure without activity for this long is closed."""
LONGEST: Final = timedelta(minutes=60)
"""A disclosure is open for this long at most; a stream that is still running may end in it."""
_MARGIN: Final = timedelta(minutes=1)
"""What is about to be closed covers nothing new: it must not close under an answer that is being prepared."""
_REMEMBER: Final = timedelta(seconds=1)
_REMEMBERED: Final = 4096
_BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class _Remembered:
    found: Open
    at: datetime


class Disclosures:
    """Opens, finds and closes disclosures. Safe to share by threads."""

    def __init__(self, database: Database, journal: Journal, clock: Clock) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock
        self._lock = threading.Lock()
        self._remembered: dict[Cover, _Remembered] = {}

    def covering(self, cover: Cover, extent: str) -> str | None:
        """The id of an open disclosure that covers `extent`: one indexed read, or none within a second of the last."""
        extents = EXTENTS[EXTENTS.index(extent) :]
        now = self._clock.now()
        remembered = self._remembered.get(cover)
        if remembered and remembered.found.extent in extents and timedelta() <= now - remembered.at <= _REMEMBER:
            return remembered.found.id
        with self._database.read() as session:
            found = store.find_open(session, cover, extents, now - LONGEST + _MARGIN, now - IDLE + _MARGIN)
        return self._remember(cover, found, now) if found else None

    def open(self, cover: Cover, extent: str, patient: Patient, detail: Mapping[str, str], request_id: str) -> str:
        """Commits a new disclosure and its intent row, together; gives its id."""
        disclosure_id, now = new_id("dis"), self._clock.now()

        def work(session: Session) -> None:
            store.add_disclosure(session, disclosure_id, cover, extent, now)
            entry = Entry(store.OPENED, patient=patient, disclosure_id=disclosure_id, request_id=request_id)
            refs = (cover.provider, cover.patient_ref, cover.principal_ref, cover.session_ref)
            self._journal.write(session, entry, refs, {**detail, "extent": extent})

        self._database.run(work)
        return self._remember(cover, Open(disclosure_id, extent, now), now)

    def sweep(self) -> int:
        """Closes what is idle or too old, each with one outcome row; how many were closed."""
        closed = 0
        while batch := self._database.run(self._sweep_some):
            closed += batch
        return closed

    def _sweep_some(self, session: Session) -> int:
        now = self._clock.now()
        found = store.endings(session, now - IDLE, now - LONGEST, _BATCH)
        for ending in found:
            outcome = outcome_of(ending)
            store.close(session, ending.id, outcome, now)
            entry = Entry("disclosure.closed", disclosure_id=ending.id)
            refs = (ending.provider, ending.patient_ref, ending.principal_ref, ending.session_ref)
            self._journal.write(session, entry, refs, _said(ending, outcome))
        return len(found)

    def _remember(self, cover: Cover, found: Open, now: datetime) -> str:
        with self._lock:
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            self._remembered[cover] = _Remembered(found, now)
        return found.id


def outcome_of(ending: Ending) -> Outcome:
    """Unknown when a process still held it, or nobody ever reported: rather too much is assumed than too little."""
    if ending.holders > 0 or ending.completed + ending.aborted == 0:
        return Outcome.UNKNOWN
    return Outcome.ABORTED if ending.aborted else Outcome.SENT


def _said(ending: Ending, outcome: Outcome) -> dict[str, Any]:
    said = {"outcome": str(outcome), "instances": str(ending.instances), "bytes": str(ending.bytes)}
    return {**said, "assume": ending.extent} if outcome is Outcome.UNKNOWN else said
