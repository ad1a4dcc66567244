"""A disclosure is opened before anything leaves, used again while it covers, and ends with one outcome."""

from dataclasses import replace

import pytest

from smartapp.errors import AuditUnavailable, PermitEnded
from smartapp.identity.model import PatientKey, Principal
from tests.access.faults import broken
from tests.access.house import ANA, BEN, House
from tests.access.trail import detail, disclosure, kinds, rows


def opened(
    worker: House,
    who: Principal,
    *,
    patient: PatientKey = ANA,
    study: str | None = "1.2.3",
    extent: str = "report",
    authority: str = "patient",
    purpose: str = "PATRQT",
) -> str:
    return worker.audit.open_disclosure(
        who,
        patient,
        study,
        extent=extent,
        authority=authority,
        action="read-report",
        purpose=purpose,
        request_id="req-1",
    )


def send(worker: House, disclosure_id: str, *, instances: int = 1, size: int = 100, complete: bool = True) -> None:
    worker.audit.begin_stream(disclosure_id)
    worker.audit.count(disclosure_id, instances=instances, bytes=size)
    worker.audit.end_stream(disclosure_id, complete=complete)


@pytest.fixture
def who(house: House) -> Principal:
    return house.principal()


@pytest.mark.promise("E1")
def test_when_it_is_open_its_intent_is_committed(house: House, who: Principal) -> None:
    disclosure_id = opened(house, who)
    (intent,) = rows(house.another(), "disclosure.opened")
    assert intent.disclosure_id == disclosure_id
    assert intent.request_id == "req-1"
    assert detail(house, intent, ANA) == {
        "authority": "patient",
        "action": "read-report",
        "purpose": "PATRQT",
        "study": "1.2.3",
        "extent": "report",
    }


@pytest.mark.promise("E1")
@pytest.mark.parametrize("elsewhere", [False, True])
def test_inside_an_open_one_no_new_row_is_needed_in_any_worker(
    house: House, who: Principal, *, elsewhere: bool
) -> None:
    first = opened(house, who)
    worker = house.another() if elsewhere else house
    assert opened(worker, who) == first
    assert opened(worker, who, extent="summary") == first
    assert len(rows(house, "disclosure.opened")) == 1


@pytest.mark.promise("E1")
@pytest.mark.parametrize("elsewhere", [False, True])
def test_what_differs_in_anything_that_matters_is_not_covered(house: House, who: Principal, *, elsewhere: bool) -> None:
    worker = house.another() if elsewhere else house
    ids = [
        opened(house, who),
        opened(worker, who, extent="images"),
        opened(worker, who, study="1.2.4"),
        opened(worker, who, study=None),
        opened(worker, who, patient=BEN),
        opened(worker, who, patient=PatientKey("county", "ana")),
        opened(worker, who, authority="grant-1"),
        opened(worker, who, purpose="FAMRQT"),
        opened(worker, replace(who, person_id="per-other")),
        opened(worker, replace(who, session_id="ses-other")),
    ]
    assert len(set(ids)) == len(ids)
    assert [row.disclosure_id for row in rows(house, "disclosure.opened")] == ids


def test_an_unknown_extent_is_a_fault_of_ours(house: House, who: Principal) -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        opened(house, who, extent="everything")


@pytest.mark.promise("E1")
@pytest.mark.parametrize(("after", "again"), [(239, True), (240, False), (300, False), (-1, True), (-7200, True)])
def test_one_that_is_about_to_end_covers_nothing_new(house: House, who: Principal, after: int, *, again: bool) -> None:
    first = opened(house, who)
    house.clock.advance(after)
    assert (opened(house, who) == first) is again


def test_activity_keeps_it_open_but_not_beyond_an_hour(house: House, who: Principal) -> None:
    first = opened(house, who)
    for _ in range(29):
        house.clock.advance(120)
        assert opened(house, who) == first
        send(house, first)
    house.clock.advance(60)
    assert opened(house, who) != first


@pytest.mark.promise("E1")
@pytest.mark.parametrize(("complete", "outcome"), [([True, True], "sent"), ([True, False], "aborted")])
def test_it_ends_with_one_outcome_that_says_how_much(
    house: House, who: Principal, complete: list[bool], outcome: str
) -> None:
    disclosure_id = opened(house, who)
    for one in complete:
        send(house, disclosure_id, complete=one)
    house.clock.advance(299)
    assert house.audit.sweep() == 0
    house.clock.advance(1)
    assert house.audit.sweep() == 1
    assert house.another().audit.sweep() == 0
    (row,) = rows(house, "disclosure.closed")
    assert detail(house, row) == {"outcome": outcome, "instances": "2", "bytes": "200"}
    assert row.patient_ref == rows(house, "disclosure.opened")[0].patient_ref


@pytest.mark.promise("E1")
@pytest.mark.promise("E8")
def test_a_worker_that_was_killed_leaves_unknown_and_the_whole_extent_is_assumed(house: House, who: Principal) -> None:
    disclosure_id = opened(house, who, extent="images")
    killed = house.another()
    send(house, disclosure_id)
    house.audit.flush()
    killed.audit.begin_stream(disclosure_id)
    killed.audit.count(disclosure_id, instances=5, bytes=5000)
    house.clock.advance(300)
    assert house.audit.sweep() == 1
    (row,) = rows(house, "disclosure.closed")
    assert detail(house, row) == {"outcome": "unknown", "instances": "1", "bytes": "100", "assume": "images"}


@pytest.mark.promise("E1")
def test_one_of_which_nobody_ever_reported_is_unknown(house: House, who: Principal) -> None:
    opened(house, who)
    house.clock.advance(300)
    house.audit.sweep()
    assert detail(house, rows(house, "disclosure.closed")[0])["outcome"] == "unknown"


def test_an_answer_without_a_stream_counts_as_sent(house: House, who: Principal) -> None:
    disclosure_id = opened(house, who)
    for _ in range(3):
        house.audit.count(disclosure_id, bytes=10)
    house.clock.advance(300)
    house.audit.sweep()
    said = detail(house, rows(house, "disclosure.closed")[0])
    assert said == {"outcome": "sent", "instances": "0", "bytes": "30"}


@pytest.mark.promise("E1")
def test_a_stream_that_lasts_is_not_closed_while_it_makes_progress(house: House, who: Principal) -> None:
    disclosure_id = opened(house, who)
    house.audit.begin_stream(disclosure_id)
    for _ in range(30):
        house.clock.advance(200)
        house.audit.count(disclosure_id, bytes=1)
        assert house.another().audit.sweep() == 0
    house.audit.end_stream(disclosure_id, complete=True)
    assert house.audit.sweep() == 1
    assert detail(house, rows(house, "disclosure.closed")[0])["bytes"] == "30"


@pytest.mark.promise("E1")
def test_a_stream_that_stood_still_until_it_was_closed_sends_nothing_more(house: House, who: Principal) -> None:
    disclosure_id = opened(house, who)
    house.audit.begin_stream(disclosure_id)
    house.audit.count(disclosure_id, bytes=1)
    house.clock.advance(300)
    house.another().audit.sweep()
    house.audit.flush()
    with pytest.raises(PermitEnded):
        house.audit.count(disclosure_id, bytes=1)
    house.audit.end_stream(disclosure_id, complete=False)
    with pytest.raises(PermitEnded):
        house.audit.begin_stream(disclosure_id)
    assert detail(house, rows(house, "disclosure.closed")[0])["outcome"] == "unknown"


def test_counters_are_written_at_most_once_a_second(house: House, who: Principal) -> None:
    disclosure_id = opened(house, who)
    for _ in range(5):
        send(house, disclosure_id)
    assert (disclosure(house, disclosure_id).holders, disclosure(house, disclosure_id).bytes) == (1, 0)
    house.clock.advance(1)
    send(house, disclosure_id)
    written = disclosure(house, disclosure_id)
    assert (written.holders, written.bytes, written.completed) == (1, 600, 5)
    house.audit.flush()
    written = disclosure(house, disclosure_id)
    assert (written.holders, written.bytes, written.completed) == (0, 600, 6)


@pytest.mark.promise("E8")
def test_counters_that_cannot_be_written_are_kept_for_later(house: House, who: Principal) -> None:
    disclosure_id = opened(house, who)
    house.audit.begin_stream(disclosure_id)
    with broken(house.database, "disclosures", "UPDATE"):
        for _ in range(3):
            house.clock.advance(2)
            house.audit.count(disclosure_id, instances=1, bytes=10)
        house.audit.end_stream(disclosure_id, complete=True)
    house.audit.flush()
    written = disclosure(house, disclosure_id)
    assert (written.instances, written.bytes, written.completed, written.holders) == (3, 30, 1, 0)


@pytest.mark.threat("T11")
def test_a_stream_that_cannot_be_held_does_not_begin(house: House, who: Principal) -> None:
    disclosure_id = opened(house, who)
    with broken(house.database, "disclosures", "UPDATE"):
        with pytest.raises(AuditUnavailable):
            house.audit.begin_stream(disclosure_id)
        with pytest.raises(AuditUnavailable):
            house.audit.count(disclosure_id, bytes=1)


@pytest.mark.threat("T11")
@pytest.mark.parametrize("table", ["audit_events", "disclosures"])
def test_without_its_intent_there_is_no_disclosure(house: House, who: Principal, table: str) -> None:
    with broken(house.database, table), pytest.raises(AuditUnavailable):
        opened(house, who)
    assert "disclosure.opened" not in kinds(house)
    opened(house, who)
    assert kinds(house).count("disclosure.opened") == 1


@pytest.mark.threat("T11")
def test_an_outcome_that_cannot_be_written_is_written_later(house: House, who: Principal) -> None:
    send(house, opened(house, who))
    house.clock.advance(300)
    with broken(house.database, "audit_events"), pytest.raises(AuditUnavailable):
        house.audit.sweep()
    assert house.audit.sweep() == 1


def test_opening_sweeps_at_most_once_a_minute(house: House, who: Principal) -> None:
    send(house, opened(house, who))
    house.clock.advance(300)
    opened(house, who, study="2")
    assert len(rows(house, "disclosure.closed")) == 1
    send(house.another(), opened(house.another(), who, study="3"))
    house.another().audit.flush()
    house.clock.advance(59)
    opened(house, who, study="4")
    assert len(rows(house, "disclosure.closed")) == 1


def test_many_are_closed_in_one_sweep(house: House, who: Principal) -> None:
    for number in range(7):
        opened(house, who, study=f"1.{number}")
    house.clock.advance(3600)
    assert house.audit.sweep() == 7
    ids = [row.disclosure_id for row in rows(house, "disclosure.closed")]
    assert len(set(ids)) == 7
