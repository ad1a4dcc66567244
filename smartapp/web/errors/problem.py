"""What went wrong, as every rendering needs it."""

from __future__ import annotations

from dataclasses import dataclass

from smartapp.errors import GrantHeld, PartWithheld, ScopeMissing, SmartappError


@dataclass(frozen=True)
class Problem:
    """`code` is stable and free of personal data. `held` is the state of a grant that serves nothing for now.

    `series` are those that may be had instead; `scope` says that the token lacks a kind of right.
    """

    status: int
    code: str
    retry_after: int | None = None
    series: tuple[str, ...] = ()
    held: str = ""
    scope: bool = False

    @classmethod
    def of(cls, error: SmartappError) -> Problem:
        """The problem that one of our errors is."""
        return cls(
            status=error.status,
            code=error.code,
            retry_after=error.retry_after,
            series=error.series if isinstance(error, PartWithheld) else (),
            held=error.state if isinstance(error, GrantHeld) else "",
            scope=isinstance(error, ScopeMissing),
        )
