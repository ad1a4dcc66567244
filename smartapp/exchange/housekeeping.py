"""What a serving worker does beside its requests: keeps the trail fresh and clears up after sessions that lapsed."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from smartapp.audit.flusher import Flusher
from smartapp.audit.service import AuditTrail
from smartapp.errors import SmartappError
from smartapp.exchange.credentials import Credentials
from smartapp.exchange.developers.trace import Traces
from smartapp.exchange.worklist.clearing import Clearing
from smartapp.identity.service import Identity
from smartapp.tokens.apps.service import AppTokens

_EVERY: Final = 60.0
"""Seconds."""
_log = logging.getLogger(__name__)


class Housekeeping:
    """Threads of a serving process. Any number of workers may do this at once: each row is cleared by one of them."""

    def __init__(
        self,
        audit: AuditTrail,
        identity: Identity,
        tokens: AppTokens,
        credentials: Credentials,
        clearing: Clearing,
        traces: Traces,
    ) -> None:
        self._audit = audit
        self._identity = identity
        self._tokens = tokens
        self._credentials = credentials
        self._clearing = clearing
        self._flusher = Flusher(audit, traces.flush)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        """Begins, after closing what a killed worker left open. Once, in the process that serves."""
        self._guarded(self._audit.sweep)
        self._flusher.start()
        self._thread.start()

    def stop(self) -> None:
        """Ends, with everything written. For a worker's orderly exit."""
        self._over.set()
        self._thread.join()
        self._flusher.stop()

    def tidy(self) -> None:
        """Ends the sessions that lapsed; credentials that no grant lives on with are given back to the EHR; what apps
        were handed and is over is removed, and what staff settled long ago.
        """
        self._credentials.release(self._identity.end_expired())
        self._tokens.tidy()
        self._clearing.tidy()

    def _run(self) -> None:
        while not self._over.wait(_EVERY):
            self._guarded(self.tidy)

    @staticmethod
    def _guarded(work: Callable[[], object]) -> None:
        try:
            work()
        except SmartappError as error:
            _log.warning("housekeeping could not be done: %s", error.code)
