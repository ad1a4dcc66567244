"""The days on which something is to be done about a grant. Pure, but for writing them down."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy.orm import Session

from smartapp.consent.grants.model import Grant
from smartapp.exchange.grants import store

WARNING: Final = timedelta(days=7)
"""How long before an app's access rests or ends its person is told."""
YEAR: Final = timedelta(days=365)


class Kind(StrEnum):
    """What is to be done."""

    REST_SOON = "rest-soon"
    """Unused for long: say that it will rest."""
    REST = "rest"
    """Unused for too long: it rests."""
    REVIEW = "review"
    """A year has passed since the person's last word: ask whether it is still what they want."""
    END_SOON = "end-soon"
    """Say that it will end, as the person chose."""
    END = "end"
    """Its time is over: clear up after it."""


def plan(session: Session, grant: Grant, now: datetime, dormant_after: timedelta) -> None:
    """Writes down the days of a grant that was approved or changed now, in the place of those of before.

    One that has an end of its own does not rest before it: the person said how long.
    """
    store.drop_dates(session, grant.id)
    end = grant.expires_at
    if end is None:
        store.set_date(session, grant.id, Kind.REST_SOON, rest_soon(now, dormant_after))
    else:
        store.set_date(session, grant.id, Kind.END, end)
    if end is not None and end - WARNING > now:
        store.set_date(session, grant.id, Kind.END_SOON, end - WARNING)
    if end is None or end > now + YEAR + WARNING:
        store.set_date(session, grant.id, Kind.REVIEW, now + YEAR)


def rest_soon(used: datetime, dormant_after: timedelta) -> datetime:
    """When the person is to be told that a grant last used then will rest."""
    return used + max(dormant_after - WARNING, timedelta())
