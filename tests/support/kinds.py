"""Every row that any test has the product write must be of a declared kind, as loud as was declared."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from smartapp.audit.journal import Entry, Journal
from smartapp.audit.kinds import KINDS

MADE_UP = frozenset({"a.kind", "b.kind", "done", "undone", "slow", "late", "first", "second", "third"})
"""Kinds of tests of the trail itself."""


@contextmanager
def watched() -> Iterator[None]:
    """While it lasts, a row of another kind, or of another severity, is an AssertionError where it is written."""
    write = Journal.write

    @functools.wraps(write)
    def checked(self: Journal, session: Any, entry: Entry, *rest: Any) -> int:
        kind = KINDS.get(entry.kind)
        if entry.kind not in MADE_UP:
            assert kind is not None, f"{entry.kind} is not declared in smartapp/audit/kinds.py"
            assert kind.loud in {"both", entry.severity}, f"{entry.kind} is declared as {kind.loud}"
        return write(self, session, entry, *rest)

    Journal.write = checked  # type: ignore[assignment,method-assign]  # put back below
    try:
        yield
    finally:
        Journal.write = write  # type: ignore[method-assign]  # as it was
