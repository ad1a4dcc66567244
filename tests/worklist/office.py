"""A worker's worklist and the desk beside it, over a real database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import text

from smartapp.exchange.worklist.desk import StaffDesk, Who
from smartapp.exchange.worklist.model import Item, OpenedItem, State
from smartapp.exchange.worklist.service import Worklist
from smartapp.identity.model import PatientKey
from smartapp.records.unmatched import Refreshed, Unmatched
from tests.access.house import House

INES = PatientKey("st-elsewhere", "ines-carvalho-1986")
OTHER = PatientKey("st-elsewhere", "somebody-else-1990")
ROSA = Who("root", "Rosa Records")
SAM = Who("root", "Sam Scans")
MISFILED = Unmatched(
    uid="2.25.73310284420001",
    ours=("SE-1007-INES", "OLD-12-INES"),
    subjects=("ines-carvalho-1986",),
    imaging_studies=("img-ines-misfiled",),
    patient_id="SE-4040-NOBODY",
    issuer="ST-ELSEWHERE",
    accessions=("I210630-0001",),
    started=datetime(2021, 6, 30, 15, tzinfo=UTC),
    description="X-ray left hand, 2021",
    modalities=("DX",),
)


@dataclass
class Office:
    """`another` is a second worker on the same database."""

    house: House

    @cached_property
    def worklist(self) -> Worklist:
        house = self.house
        return Worklist(house.database, house.keyring, house.datakeys, house.audit, house.clock)

    @cached_property
    def desk(self) -> StaffDesk:
        house = self.house
        return StaffDesk(house.database, house.keyring, house.datakeys, house.audit, house.clock)

    def another(self) -> "Office":
        return Office(self.house.another())

    def refresh(self, *found: Unmatched, patient: PatientKey = INES, complete: bool = True, later: float = 120) -> None:
        """A refresh that finds this, `later` seconds after what was before."""
        self.house.clock.advance(later)
        self.worklist.observe(patient, Refreshed(self.house.clock.now(), found, complete), "req-refresh")

    def items(self, state: State | None = None) -> tuple[Item, ...]:
        return self.desk.list(None, state, ROSA)

    def the_item(self) -> Item:
        [item] = self.items()
        return item

    def opened(self) -> OpenedItem:
        return self.desk.show(self.the_item().id, ROSA)

    def state(self) -> tuple[str, str | None, int]:
        standing = self.the_item().standing
        return standing.state.value, standing.how.value if standing.how else None, standing.times_seen

    def stored(self, table: str) -> Sequence[Any]:
        with self.house.database.read() as session:
            return session.execute(text(f"SELECT * FROM {table}")).all()  # noqa: S608 -- the test's own words

    def kinds(self) -> list[str]:
        """The kinds of the trail's rows about the worklist, in order, but for lists."""
        with self.house.database.read() as session:
            kinds = session.scalars(text("SELECT kind FROM audit_events ORDER BY seq")).all()
        return [kind for kind in kinds if kind.startswith("worklist.") and kind != "worklist.listed"]
