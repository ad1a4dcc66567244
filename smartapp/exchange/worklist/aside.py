"""Lets something be done beside a request, so that neither its failing nor its waiting is the person's."""

import logging
from concurrent.futures import ThreadPoolExecutor, wait
from threading import BoundedSemaphore
from typing import Final

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.errors import SmartappError
from smartapp.exchange.worklist.service import Worklist
from smartapp.identity.model import PatientKey
from smartapp.records.unmatched import Refreshed

_MOMENT: Final = 0.25
"""Seconds that the request waits at most, so that the page it makes can mostly say what was done."""
_ROOM: Final = 64
"""How much may wait; what has no room is found again by the patient's next refresh."""
_log = logging.getLogger(__name__)


class Aside:
    """Hands what refreshes find to the worklist, on a thread of its own. One per process; safe to share by threads."""

    def __init__(self, worklist: Worklist, audit: AuditTrail, *, moment: float = _MOMENT) -> None:
        self._worklist = worklist
        self._audit = audit
        self._moment = moment
        self._room = BoundedSemaphore(_ROOM)
        self._pool = ThreadPoolExecutor(1, "worklist")

    def __call__(self, patient: PatientKey, found: Refreshed, request_id: str) -> None:
        """Returns when it is done, or after a moment. Raises nothing: what fails is logged and written down."""
        if not self._room.acquire(blocking=False):
            _log.warning("the worklist is behind: a refresh was left out")
            return
        try:
            doing = self._pool.submit(self._observe, patient, found, request_id)
        except RuntimeError:  # the process is about to end
            self._room.release()
            return
        wait([doing], timeout=self._moment)

    def close(self) -> None:
        """For an orderly exit: what waits is written."""
        self._pool.shutdown()

    def _observe(self, patient: PatientKey, found: Refreshed, request_id: str) -> None:
        try:
            self._worklist.observe(patient, found, request_id)
        except Exception as error:  # noqa: BLE001 -- nobody else would ever hear of it
            self._failed(patient, error, request_id)
        finally:
            self._room.release()

    def _failed(self, patient: PatientKey, error: Exception, request_id: str) -> None:
        """No text of an error that is not ours: it may hold what the statement was given."""
        fault = error.code if isinstance(error, SmartappError) else type(error).__name__
        _log.warning("%s: the worklist could not be written: %s", request_id, fault)
        event = Event("worklist.failed", "high", patient, detail={"fault": fault}, request_id=request_id)
        try:
            self._audit.record(event)
        except SmartappError as worse:
            _log.warning("%s: that could not be written down: %s", request_id, worse.code)
