"""What time does to grants: they rest when nobody uses them, end when they are over, and are brought to mind."""

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy.orm import Session

from smartapp.consent.grants.model import LIVING, Grant, GrantState
from smartapp.exchange.grants import dates, store
from smartapp.exchange.grants.dates import WARNING, YEAR, Kind, rest_soon
from smartapp.exchange.grants.desk import Ledger
from smartapp.exchange.grants.store import Due
from smartapp.identity.model import PrincipalKind

_BATCH: Final = 50


class Upkeep:
    """The use-case of a job. A day is dealt with in one transaction, with its letter: once, by one worker."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._by_kind: Mapping[Kind, Callable[[Session, Grant], Grant | None]] = {
            Kind.REST_SOON: self._rest_soon,
            Kind.REST: self._rest,
            Kind.REVIEW: self._review,
            Kind.END_SOON: self._end_soon,
            Kind.END: self._end,
        }

    def run_once(self) -> int:
        """Does some of what is due; how much that was. Raises DatabaseBusy."""
        ledger = self._ledger
        found: list[Grant] = []

        def work(session: Session) -> int:
            found.clear()
            due = store.due(session, ledger.clock.now(), _BATCH)
            for each in due:
                found.extend(grant for grant in [self._done(session, each)] if grant is not None)
            return len(due)

        done = ledger.database.run(work)
        ledger.release(found)
        return done

    def _done(self, session: Session, due: Due) -> Grant | None:
        """The grant, if it is over now."""
        store.drop_date(session, due.grant_id, due.kind)
        grant = self._ledger.grants.find(session, due.grant_id)
        if grant is None or grant.state not in LIVING:
            return None
        return self._by_kind[Kind(due.kind)](session, grant)

    def _rest_soon(self, session: Session, grant: Grant) -> None:
        """Used meanwhile: later. Held already: when it goes on, its days are written anew."""
        ledger, now = self._ledger, self._ledger.clock.now()
        if grant.state is not GrantState.ACTIVE:
            return
        used = max(grant.last_used_at or grant.changed_at, grant.changed_at)
        soon = rest_soon(used, ledger.dormant_after)
        if soon > now:
            store.set_date(session, grant.id, Kind.REST_SOON, soon)
            return
        rests_at = max(used + ledger.dormant_after, now + WARNING)
        ledger.alerts.tell(session, grant.person_id, grant.provider, lambda letters: letters.app_rests_soon(rests_at))
        store.set_date(session, grant.id, Kind.REST, rests_at)

    def _rest(self, session: Session, grant: Grant) -> None:
        ledger, now = self._ledger, self._ledger.clock.now()
        if grant.state is not GrantState.ACTIVE:
            return
        used = max(grant.last_used_at or grant.changed_at, grant.changed_at)
        if used + ledger.dormant_after > now:
            store.set_date(session, grant.id, Kind.REST_SOON, rest_soon(used, ledger.dormant_after))
            return
        if ledger.grants.set_state(session, grant.id, GrantState.DORMANT, kind="dormant", by="us"):
            ledger.note(session, grant, "grant.dormant", by="us", request_id="")

    def _review(self, session: Session, grant: Grant) -> None:
        ledger = self._ledger
        ledger.alerts.tell(session, grant.person_id, grant.provider, lambda letters: letters.review())
        store.set_date(session, grant.id, Kind.REVIEW, ledger.clock.now() + YEAR)

    def _end_soon(self, session: Session, grant: Grant) -> None:
        ledger, end = self._ledger, grant.expires_at
        if end is not None:
            ledger.alerts.tell(session, grant.person_id, grant.provider, lambda letters: letters.app_ends_soon(end))

    def _end(self, session: Session, grant: Grant) -> Grant | None:
        """It serves nothing since its moment by itself: this clears up after it, and tells the EHR."""
        ledger, end = self._ledger, grant.expires_at
        if end is None or end > ledger.clock.now():
            dates.plan(session, grant, ledger.clock.now(), ledger.dormant_after)
            return None
        over = ledger.close(session, grant, GrantState.EXPIRED, kind="expired", by="us", request_id="")
        if over and grant.granted_by is PrincipalKind.REPRESENTATIVE:
            ledger.note(session, grant, "proxy.expired", by="us", request_id="")
        return grant if over else None
