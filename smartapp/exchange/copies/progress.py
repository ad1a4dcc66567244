"""How far a copy is, for the page from which it was asked: told every other second, by whichever process makes it."""

import contextlib
import json
import time
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Final, Literal

from smartapp.clock import Clock
from smartapp.dicomweb.core.cache import InstanceCache
from smartapp.errors import Unavailable
from smartapp.identity.model import Principal

State = Literal["running", "complete", "broken", "silent"]
"""`silent`: nothing was heard of it for so long that its process is gone, or its reader takes nothing."""

_EVERY: Final = 2.0
"""Seconds between two tellings."""
_SILENT: Final = 120
"""Seconds. Longer than a reader may take for one piece, and the archive for its next byte."""
_KEPT: Final = 900
"""For so many seconds a page still says what became of a copy."""


@dataclass(frozen=True)
class Progress:
    """`pictures` of `expected` DICOM files are whole in the copy, and `size` bytes of it are sent. Times are POSIX's.

    How many pictures there are is known before the first byte; how many bytes is not, as some are packed.
    """

    state: State
    begun: float
    pictures: int
    expected: int
    size: int

    @property
    def percent(self) -> int | None:
        """The part of the pictures that is done, rounded down. 100 is what is complete; None without pictures."""
        if not self.expected:
            return None
        return 100 if self.state == "complete" else min(99, self.pictures * 100 // self.expected)


class Meter:
    """Tells of one copy. It raises nothing: a copy does not fail because nobody can see how far it is."""

    def __init__(self, tell: "Teller", expected: int, begun: datetime) -> None:
        self._tell = tell
        self._told = Progress("running", begun.timestamp(), 0, expected, 0)
        self._next = 0.0
        self.passed(0, 0)

    def passed(self, pictures: int, size: int) -> None:
        """So many pictures are done by now, and `size` more bytes are sent."""
        told = self._told
        self._told = replace(told, pictures=min(pictures, told.expected), size=told.size + size)
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY
            self._tell(self._told)

    def ended(self, *, complete: bool) -> None:
        """The last byte was taken, or it broke off."""
        self._tell(replace(self._told, state="complete" if complete else "broken"))


class Teller:
    """Where one page looks: kept sealed with the patient's key, by the browser session that asked for the copy."""

    def __init__(self, cache: InstanceCache, principal: Principal, place: str) -> None:
        self._cache = cache
        self._patient = principal.patient
        self._name = f"copy {principal.session_id} {place}"

    def __call__(self, told: Progress) -> None:
        """Keeps it. What cannot be kept is not told."""
        with contextlib.suppress(Unavailable):
            self._cache.put_blob(self._patient, self._name, json.dumps(asdict(told)).encode())

    def last(self) -> Progress | None:
        """What was told last, if that is not long ago."""
        kept = self._cache.get_blob(self._patient, self._name, _KEPT)
        if kept is None:
            return None
        told = Progress(**json.loads(kept))
        if told.state == "running" and self._cache.get_blob(self._patient, self._name, _SILENT) is None:
            return replace(told, state="silent")
        return told


class Board:
    """The tellers of all copies. One per process; safe to share by threads."""

    def __init__(self, cache: InstanceCache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock

    def begin(self, principal: Principal, place: str, expected: int) -> Meter:
        """A copy of `expected` pictures begins, asked for at `place`: a study's UID, or empty for the list's page."""
        return Meter(Teller(self._cache, principal, place), expected, self._clock.now())

    def last(self, principal: Principal, place: str) -> Progress | None:
        """How far the copy is, or became, that this browser session asked for there last. None if there is none."""
        return Teller(self._cache, principal, place).last()
