"""Keeps the counters fresh and closes what is over, while a worker has nothing else to do."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from smartapp.audit.service import AuditTrail
from smartapp.errors import SmartappError

_EVERY: Final = 1.0
"""Seconds."""
_log = logging.getLogger(__name__)


class Flusher:
    """A thread of a serving process. Without it a worker that falls idle leaves its last second to be "unknown"."""

    def __init__(self, trail: AuditTrail, *besides: Callable[[], object]) -> None:
        """`besides` is done as often: what else a process holds back for a moment. It raises nothing."""
        self._trail = trail
        self._besides = besides
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit-flusher", daemon=True)

    def start(self) -> None:
        """Begins. To be called once, in the process that serves (a thread does not survive a fork)."""
        self._thread.start()

    def stop(self) -> None:
        """Ends, after writing what is left. For a worker's orderly exit."""
        self._over.set()
        self._thread.join()
        self._trail.flush()
        self._trail.tell()
        self._do_the_rest()

    def _run(self) -> None:
        while not self._over.wait(_EVERY):
            try:
                self._trail.tidy()
            except SmartappError as error:
                _log.warning("the audit trail could not be tidied: %s", error.code)
            self._do_the_rest()

    def _do_the_rest(self) -> None:
        for work in self._besides:
            work()
