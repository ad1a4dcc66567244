"""Looks again and again: also at a database that is exchanged below running workers."""

import logging
import threading
from typing import Final

from smartapp.errors import SmartappError
from smartapp.exchange.credentials import Credentials
from smartapp.exchange.restored.service import Restored

_EVERY: Final = 1.0
"""Seconds: what is ended in the last of them before a crash may be missing from the file."""
_log = logging.getLogger(__name__)


class Watch:
    """A thread of a serving process."""

    def __init__(self, restored: Restored, credentials: Credentials) -> None:
        self._restored = restored
        self._credentials = credentials
        self._left: tuple[str, ...] = ()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="restored", daemon=True)

    def start(self) -> None:
        """Looks once, before anything is served, and begins. Once, in the process that serves."""
        self.look()
        self._thread.start()

    def stop(self) -> None:
        """Ends, after a last look. For a worker's orderly exit."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
            self.look()

    def look(self) -> None:
        """Looks, and gives credentials back that nobody needs any more at the next look. Raises nothing."""
        try:
            self._left += self._restored.check()
        except SmartappError as error:
            _log.error("it could not be told whether the database is an earlier one: %s", error)

    def _run(self) -> None:
        while not self._over.wait(_EVERY):
            self._release()
            self.look()

    def _release(self) -> None:
        """Here, not at the start: an EHR that is slow holds up no start."""
        left, self._left = self._left, ()
        try:
            self._credentials.release(left)
        except SmartappError as error:
            _log.warning("credentials of ended sessions could not be given back: %s", error.code)
