"""What staff do at the worklist. Each look and each act is written down first, with who it was."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.db.datakeys import DataKeys
from smartapp.db.unit import Database
from smartapp.errors import BadInput, NotFound
from smartapp.exchange.worklist import store
from smartapp.exchange.worklist.model import How, Item, OpenedItem, State, Word
from smartapp.exchange.worklist.sealed import ItemSeal, opened
from smartapp.exchange.worklist.service import columns
from smartapp.exchange.worklist.store import StoredItem
from smartapp.security.keyring import Keyring


@dataclass(frozen=True)
class Who:
    """Who is at the desk: `account` of the machine that the command runs on, `name` as they gave it (or empty)."""

    account: str
    name: str = ""

    def said(self) -> dict[str, str]:
        """As the trail says it."""
        return {"by": f"operator {self.account}", **({"as": self.name} if self.name else {})}


class WorklistRefused(BadInput):
    """It cannot be done as the item stands: `worklist.taken`, by `by`, or `worklist.settled`."""

    def __init__(self, code: str, by: str = "") -> None:
        super().__init__(code)
        self.by = by


class StaffDesk:
    """The use-case of staff. Two who act at once are served one after the other: the second sees what the first did."""

    def __init__(
        self, database: Database, keyring: Keyring, datakeys: DataKeys, audit: AuditTrail, clock: Clock
    ) -> None:
        self._database = database
        self._seal = ItemSeal(keyring, datakeys)
        self._audit = audit
        self._clock = clock

    def list(self, provider: str | None, state: State | None, who: Who) -> tuple[Item, ...]:
        """The items, those that wait longest first. They name nobody: whose one is, `show` tells."""
        asked = {"provider": provider or "", "state": state.value if state else ""}
        self._audit.record(
            Event("worklist.listed", provider=provider or "", principal_ref=_ref(who), detail=who.said() | asked)
        )
        with self._database.read() as session:
            return tuple(opened(row) for row in store.listed(session, provider, state.value if state else None))

    def show(self, item_id: str, who: Who) -> OpenedItem:
        """The item, with all that it says: a disclosure of the patient's data to the hospital's own staff.

        Raises NotFound, IntegrityError, AuditUnavailable.
        """
        with self._database.read() as session:
            row = store.find(session, item_id)
        if row is None:
            raise NotFound
        self._audit.record(self._event("worklist.shown", row, who))
        with self._database.read() as session:
            return self._seal.open_(session, row)

    def take(self, item_id: str, who: Who) -> None:
        """From now on `who` is at it; whoever has it already keeps it. Raises NotFound, WorklistRefused."""

        def taken(row: StoredItem, word: Word | None) -> tuple[dict[str, Any], Word]:
            standing = opened(row).standing
            if standing.state is State.SETTLED:
                raise WorklistRefused("worklist.settled")
            if standing.state is State.TAKEN and word and word.by != who.name:
                raise WorklistRefused("worklist.taken", word.by)
            return columns(replace(standing, state=State.TAKEN)), Word(who.name)

        self._act("worklist.taken", item_id, who, {}, taken)

    def settle(self, item_id: str, how: How, note: str, who: Who) -> None:
        """The item is settled, whoever had it. Nothing becomes visible by it: that only EHR and PACS can bring about.

        Raises NotFound, and WorklistRefused for one that is settled already.
        """

        def settled(row: StoredItem, _word: Word | None) -> tuple[dict[str, Any], Word]:
            standing = opened(row).standing
            if standing.state is State.SETTLED:
                raise WorklistRefused("worklist.settled")
            now = replace(standing, state=State.SETTLED, how=how, settled_at=self._clock.now())
            return columns(now), Word(who.name, note)

        self._act("worklist.settled", item_id, who, {"how": how.value, "note": note}, settled)

    def _act(
        self,
        kind: str,
        item_id: str,
        who: Who,
        said: dict[str, str],
        change: Callable[[StoredItem, Word | None], tuple[dict[str, Any], Word]],
    ) -> None:
        """The row, what is said of it and the trail change in one write."""

        def work(session: Session) -> None:
            row = store.held(session, item_id)
            if row is None:
                raise NotFound
            item = self._seal.open_(session, row)
            values, word = change(row, item.word)
            values["word"] = self._seal.word(session, row.id, item.patient, word)
            self._audit.record(self._event(kind, row, who, **said), session=session)
            store.change(session, row.id, values)

        self._database.run(work)

    def _event(self, kind: str, row: StoredItem, who: Who, **said: str) -> Event:
        patient = self._seal.open_patient(row)
        detail = {"item": row.id, "purpose": "HOPERAT", **who.said(), **said}
        return Event(kind, patient=patient, principal_ref=_ref(who), detail=detail)


def _ref(who: Who) -> str:
    return f"staff:{who.account}"
