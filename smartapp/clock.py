"""The only place that asks what time it is."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

SHIFT_FILE: Final = "SMARTAPP_SANDBOX_CLOCK"
"""The environment variable that names the file by which a sandbox shifts the time of its parts."""
_DIGITS: Final = 64
"""More bytes than a number of seconds has."""


class Clock(Protocol):
    """Tells the time; handed in, so that tests decide what time it is."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        return datetime.now(UTC)


class ShiftedClock:
    """The machine's clock, shifted by the whole seconds that a file holds at the moment. For the sandbox only."""

    def __init__(self, file: Path) -> None:
        self._file = str(file)

    def now(self) -> datetime:
        """The shifted time, aware, in UTC; the machine's own while the file is not there or holds no number."""
        try:
            shift = int(self._read())
        except (OSError, ValueError):
            shift = 0
        return datetime.now(UTC) + timedelta(seconds=shift)

    def _read(self) -> bytes:
        """By the system's own calls, a third of the time: a request asks twenty times what time it is."""
        file = os.open(self._file, os.O_RDONLY)
        try:
            return os.read(file, _DIGITS)
        finally:
            os.close(file)


def clock_of(environment: str, environ: Mapping[str, str]) -> Clock:
    """The machine's clock; in the environment `sandbox`, when a file for it is named, one that can be shifted."""
    file = environ.get(SHIFT_FILE) if environment == "sandbox" else None
    return ShiftedClock(Path(file)) if file else SystemClock()
