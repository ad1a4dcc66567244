"""A clock that stands still until told otherwise."""

from datetime import UTC, datetime, timedelta


class FixedClock:
    """Tells the same time until `advance` is called."""

    def __init__(self, moment: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)) -> None:
        self._moment = moment

    def now(self) -> datetime:
        return self._moment

    def advance(self, seconds: float) -> None:
        self._moment += timedelta(seconds=seconds)
