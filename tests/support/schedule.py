"""In which order files of tests are handed to the processes of a run, and which of them stay together.

xdist begins with the files that hold most tests. Those with few tests that start a hospital or a browser come last
then, and keep one process busy while the others have nothing left.
"""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadFileScheduling

_WAITING = frozenset({"chromium", "house", "postgres_databases", "sandbox"})
"""Fixtures that start something which takes long to come."""
_TOGETHER = "tests/clients/"
"""Files of one house: in one process it is started once."""


class LongestFirst(LoadFileScheduling):  # type: ignore[misc]  # xdist does not publish its types
    """Hands out files in the order in which they were collected, and all of `_TOGETHER` as one."""

    def _split_scope(self, nodeid: str) -> str:
        return _TOGETHER if nodeid.startswith(_TOGETHER) else str(super()._split_scope(nodeid))


def longest_first(items: list[pytest.Item]) -> None:
    """Puts first what takes long (marked so, or by what it starts), and leaves the order as it is else."""
    items.sort(key=_short)


def _short(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    return item.get_closest_marker("long") is None and _WAITING.isdisjoint(fixtures)
