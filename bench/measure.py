"""Runs two sides in turn and compares them; the machine's mood then hits both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Side = Callable[[], int]
"""Does the work once and says how many bytes (or answers) it came to."""


@dataclass(frozen=True)
class Row:
    """One row of the table. Rates are amount per second; `ratio` is ours to theirs, at the medians."""

    name: str
    unit: str
    ours: list[float]
    theirs: list[float]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ours) / statistics.median(self.theirs)

    def line(self) -> str:
        spread = " | ".join(
            f"{min(side):9.1f} {statistics.median(side):9.1f} {max(side):9.1f}" for side in (self.ours, self.theirs)
        )
        return f"{self.name:<44} {self.unit:<6} {spread} | {self.ratio:6.2f}"


def compare(name: str, unit: str, ours: Side, theirs: Side, *, rounds: int = 5, warm: bool = True) -> Row:
    """`rounds` of each side, alternating, after one of each that is not counted (of ours only if `warm`)."""
    if warm:
        ours()
    theirs()
    pairs = [(_rate(ours), _rate(theirs)) for _ in range(rounds)]
    return Row(name, unit, [pair[0] for pair in pairs], [pair[1] for pair in pairs])


def _rate(side: Side) -> float:
    started = time.perf_counter()
    amount = side()
    return amount / (time.perf_counter() - started)
