"""Which faults are set, and whose turn it is; and how far the clocks are shifted."""

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from smartapp.sandbox.faults.catalogue import KINDS, Kind, Part

_LONGEST: Final = 10 * 365 * 86400
"""The farthest that a clock can be shifted, in seconds."""


class BadFault(ValueError):
    """What was asked for cannot be set; the message says why."""


@dataclass
class Fault:
    """A fault that is set. `times`: how often it still happens, None for always; `match`: a path's beginning, in which
    `*` stands for anything; `seconds` is the kind's parameter.
    """

    fault: str
    times: int | None
    match: str
    seconds: float | None


class Board:
    """All settings of one sandbox; safe to share by threads. The clocks' shift is in a file that the parts read."""

    def __init__(self, clock: Path) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._set: dict[Part, list[Fault]] = {"ehr": [], "pacs": []}
        self._trapped = 0
        self.shift(0)

    def add(self, part: Part, asked: Mapping[str, Any], *, alone: bool) -> None:
        """Set one more fault, or, `alone`, this one in place of all others of the part. Raises BadFault."""
        fault = _fault(part, asked)
        with self._lock:
            self._set[part] = [fault] if alone else [*self._set[part], fault]

    def clear(self, part: Part) -> None:
        """The part behaves again."""
        with self._lock:
            self._set[part] = []

    def take(self, part: Part, target: str) -> tuple[Kind, Fault] | None:
        """The fault for a request to `target` (path and query), counted as having happened; the first that fits."""
        with self._lock:
            for fault in self._set[part]:
                kind = KINDS[part][fault.fault]
                if fault.times == 0 or not _fits(fault.match, target) or not _fits(kind.at, target):
                    continue
                if fault.times is not None:
                    fault.times -= 1
                return kind, fault
        return None

    def give_back(self, fault: Fault) -> None:
        """It did not happen after all: the answer was none that this fault can spoil."""
        with self._lock:
            if fault.times is not None:
                fault.times += 1

    def shift(self, seconds: int, *, further: bool = False) -> None:
        """Set the shift of all clocks, or add to it. Raises BadFault beyond ten years."""
        with self._lock:
            total = seconds + (self.clock if further else 0)
            if abs(total) > _LONGEST:
                raise BadFault("the clock can be shifted by ten years at most")
            # Replaced, not rewritten: whoever reads in between sees the old one or the new one.
            fresh = self._clock.with_suffix(".new")
            fresh.write_text(str(total))
            fresh.replace(self._clock)

    @property
    def clock(self) -> int:
        """The shift, in seconds."""
        return int(self._clock.read_text()) if self._clock.exists() else 0

    def trap(self) -> None:
        """Somebody followed a link that leads away."""
        with self._lock:
            self._trapped += 1

    def state(self) -> dict[str, Any]:
        """What can be set, and what is set."""
        with self._lock:
            return {
                "faults": {part: [_described(kind) for kind in kinds.values()] for part, kinds in KINDS.items()},
                "set": {part: [asdict(fault) for fault in faults] for part, faults in self._set.items()},
                "clock": self.clock,
                "trapped": self._trapped,
            }


def _described(kind: Kind) -> dict[str, Any]:
    return {"fault": kind.name, "sentence": kind.sentence, "at": kind.at or "/", "seconds": kind.seconds}


def _fits(beginning: str, target: str) -> bool:
    return fnmatchcase(target, f"{beginning}*")


def _fault(part: Part, asked: Mapping[str, Any]) -> Fault:
    if unknown := set(asked) - {"fault", "times", "match", "seconds"}:
        raise BadFault(f"unknown: {', '.join(sorted(unknown))}; known are fault, times, match, seconds")
    kind = KINDS[part].get(str(asked.get("fault")))
    if kind is None:
        raise BadFault(f"fault must be one of: {', '.join(KINDS[part])}")
    times, match, seconds = asked.get("times"), asked.get("match", ""), asked.get("seconds", kind.seconds)
    if times is not None and (type(times) is not int or times < 1):
        raise BadFault("times must be a whole number above zero, or null for always")
    if not isinstance(match, str):
        raise BadFault("match must be the beginning of a path")
    if kind.seconds is None and seconds is not None:
        raise BadFault(f"{kind.name} has no seconds")
    if kind.seconds is not None and (type(seconds) not in {int, float} or not 0 <= seconds < _LONGEST):
        raise BadFault("seconds must be a number, from zero up")
    return Fault(kind.name, times, match, seconds)
