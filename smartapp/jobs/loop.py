"""Runs jobs until told to stop."""

import logging
import threading
from collections.abc import Sequence
from typing import Final, Protocol

from smartapp.errors import SmartappError

_PAUSE: Final = 1.0
"""Seconds between two looks when there was nothing to do."""
_log = logging.getLogger(__name__)


class Job(Protocol):
    """Something to do again and again."""

    def run_once(self) -> int:
        """Does what is due; how much there was."""
        ...


def run(jobs: Sequence[Job], stop: threading.Event, *, pause: float = _PAUSE) -> None:
    """Returns when `stop` is set and the job at hand is done. A part that is away is waited for, not died of."""
    while not stop.is_set():
        if not sum(_guarded(job) for job in jobs):
            stop.wait(pause)


def _guarded(job: Job) -> int:
    try:
        return job.run_once()
    except SmartappError as error:
        _log.warning("%s could not be done: %s", type(job).__name__, error.code)
        return 0
