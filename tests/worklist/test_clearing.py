"""What was settled long ago goes; what is still being found, or waits, stays."""

import pytest

from smartapp.exchange.worklist.clearing import Clearing
from smartapp.exchange.worklist.model import How
from tests.access import trail
from tests.worklist.office import MISFILED, OTHER, ROSA, Office

DAY = 86400


def clearing(office: Office) -> Clearing:
    return Clearing(office.house.database, office.house.audit, office.house.clock, 30)


@pytest.mark.promise("E1")
@pytest.mark.threat("F25")
def test_what_was_settled_and_found_last_long_ago_is_removed_once(office: Office) -> None:
    office.refresh(MISFILED)
    office.refresh()
    office.refresh(MISFILED, patient=OTHER)
    office.house.clock.advance(29 * DAY)
    clearing(office).tidy()
    assert len(office.items()) == 2
    office.house.clock.advance(2 * DAY)
    for worker in (office, office.another()):
        clearing(worker).tidy()
    assert office.state() == ("open", None, 1)
    [row] = trail.rows(office.house, "worklist.removed")
    assert (row.provider, row.patient_ref, trail.detail(office.house, row)) == ("st-elsewhere", "", {"count": "1"})


def test_what_staff_left_and_is_still_found_is_not_asked_anew(office: Office) -> None:
    office.refresh(MISFILED)
    office.desk.settle(office.the_item().id, How.LEFT, "known", ROSA)
    office.refresh(MISFILED, later=40 * DAY)
    clearing(office).tidy()
    assert office.state() == ("settled", "left", 2)
    office.house.clock.advance(31 * DAY)
    clearing(office).tidy()
    assert office.items() == ()
