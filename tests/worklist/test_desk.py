"""What staff do at the worklist, and that each look and act is written down first."""
# ruff: noqa: ARG002  # a stand-in takes what the real one takes

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.errors import AuditUnavailable, NotFound
from smartapp.exchange.worklist.desk import StaffDesk, Who, WorklistRefused
from smartapp.exchange.worklist.model import How, State
from smartapp.security.envelope import IntegrityError
from tests.access import trail
from tests.worklist.office import INES, MISFILED, ROSA, SAM, Office

ACTS: dict[str, Callable[[StaffDesk, str], object]] = {
    "show": lambda desk, item: desk.show(item, ROSA),
    "take": lambda desk, item: desk.take(item, ROSA),
    "settle": lambda desk, item: desk.settle(item, How.LEFT, "known", ROSA),
}


class Mute(AuditTrail):
    """A trail that cannot be written."""

    def record(self, event: Event, **_more: object) -> int:
        raise AuditUnavailable


@pytest.mark.promise("E1")
def test_each_look_and_act_says_who_it_was(office: Office) -> None:
    office.refresh(MISFILED)
    [item] = office.desk.list("st-elsewhere", State.OPEN, Who("root"))
    for act in ACTS.values():
        act(office.desk, item.id)
    [listed] = trail.rows(office.house, "worklist.listed")
    assert (listed.provider, listed.patient_ref) == ("st-elsewhere", "")
    assert trail.detail(office.house, listed) == {"by": "operator root", "provider": "st-elsewhere", "state": "open"}
    about = trail.rows(office.house, "worklist.shown", "worklist.taken", "worklist.settled")
    said = [trail.detail(office.house, row, INES) for row in about]
    assert len({row.patient_ref for row in about} - {""}) == 1
    who = {"item": item.id, "purpose": "HOPERAT", "by": "operator root", "as": "Rosa Records"}
    assert said == [who, who, who | {"how": "left", "note": "known"}]


@pytest.mark.promise("E1")
@pytest.mark.threat("T11")
@pytest.mark.parametrize("act", ACTS)
def test_without_the_trail_nobody_looks_and_nothing_changes(office: Office, act: str) -> None:
    office.refresh(MISFILED)
    before = office.stored("work_items")
    house = office.house
    mute = Mute(house.database, house.keyring, house.datakeys, house.clock)
    desk = StaffDesk(house.database, house.keyring, house.datakeys, mute, house.clock)
    with pytest.raises(AuditUnavailable):
        ACTS[act](desk, office.the_item().id)
    with pytest.raises(AuditUnavailable):
        desk.list(None, None, ROSA)
    assert office.stored("work_items") == before


@pytest.mark.parametrize("act", ACTS)
def test_what_is_not_there_is_said(office: Office, act: str) -> None:
    with pytest.raises(NotFound):
        ACTS[act](office.desk, "wrk-none")
    assert office.kinds() == []


@pytest.mark.promise("A2")
def test_one_takes_it_and_the_other_is_told_who(office: Office) -> None:
    office.refresh(MISFILED)
    item = office.the_item().id
    office.desk.take(item, ROSA)
    office.desk.take(item, ROSA)
    with pytest.raises(WorklistRefused) as refused:
        office.another().desk.take(item, SAM)
    assert (refused.value.code, refused.value.by) == ("worklist.taken", "Rosa Records")
    office.refresh(MISFILED)
    assert office.state() == ("taken", None, 2)
    office.desk.settle(item, How.LEFT, "Rosa is away; known", SAM)
    word = office.opened().word
    assert word is not None
    assert (word.by, word.note) == ("Sam Scans", "Rosa is away; known")


def test_of_two_who_take_it_at_once_one_has_it(office: Office) -> None:
    office.refresh(MISFILED)
    item = office.the_item().id
    together = Barrier(2)

    def take(who: Who) -> bool:
        desk = office.another().desk
        together.wait(timeout=30)
        try:
            desk.take(item, who)
        except WorklistRefused:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(take, [ROSA, SAM])) == [False, True]
    assert office.kinds().count("worklist.taken") == 1


@pytest.mark.parametrize("act", ["take", "settle"])
def test_what_is_settled_is_settled(office: Office, act: str) -> None:
    office.refresh(MISFILED)
    item = office.the_item().id
    office.desk.settle(item, How.NOT_OURS, "the order was for another person", SAM)
    with pytest.raises(WorklistRefused) as refused:
        ACTS[act](office.desk, item)
    assert refused.value.code == "worklist.settled"
    assert office.state() == ("settled", "not-ours", 1)


def test_lists_are_narrowed(office: Office) -> None:
    office.refresh(MISFILED)
    assert office.desk.list("mercy", None, ROSA) == ()
    assert office.desk.list("st-elsewhere", State.TAKEN, ROSA) == ()
    assert len(office.desk.list("st-elsewhere", None, ROSA)) == 1


@pytest.mark.threat("P10")
@pytest.mark.parametrize("column", ["sealed", "sealed_patient"])
def test_a_row_that_was_changed_tells_nothing(office: Office, column: str) -> None:
    office.refresh(MISFILED)
    item = office.the_item().id
    with office.house.database.write() as session:
        [found] = session.execute(text(f"SELECT {column} FROM work_items")).one()  # noqa: S608 -- the test's own words
        spoilt = bytes(found)[:-1] + bytes([bytes(found)[-1] ^ 1])
        session.execute(text(f"UPDATE work_items SET {column} = :spoilt"), {"spoilt": spoilt})  # noqa: S608 -- as above
    with pytest.raises(IntegrityError):
        office.desk.show(item, ROSA)
