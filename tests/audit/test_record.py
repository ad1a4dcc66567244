"""What a row holds, and in which order rows stand."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from smartapp.audit.model import Event
from smartapp.errors import AuditUnavailable
from smartapp.identity.model import PatientKey
from smartapp.security.envelope import IntegrityError
from tests.access.faults import broken
from tests.access.house import ANA, BEN, House
from tests.access.trail import detail, kinds, rows

CANARY = PatientKey("st-elsewhere", "canary-patient-id")


def test_a_row_tells_what_happened_to_whom_without_naming_them(house: House) -> None:
    seq = house.audit.record(
        Event(
            "smart.mixup",
            "high",
            patient=ANA,
            principal_ref="per-1",
            session_ref="ses-1",
            detail={"study": "1.2.3"},
            request_id="req-1",
        )
    )
    (row,) = rows(house)
    assert (row.seq, row.kind, row.severity, row.provider) == (seq, "smart.mixup", "high", "st-elsewhere")
    assert (row.at, row.request_id, row.skewed) == (house.clock.now(), "req-1", False)
    assert all(len(ref) == 32 for ref in (row.patient_ref, row.principal_ref, row.session_ref))
    assert detail(house, row, ANA) == {"study": "1.2.3"}


@pytest.mark.threat("T18")
def test_no_name_id_or_detail_is_readable_in_the_table(house: House) -> None:
    house.audit.record(
        Event(
            "a.kind",
            patient=CANARY,
            principal_ref="canary-person",
            session_ref="canary-session",
            detail={"study": "1.2.canary"},
        )
    )
    house.audit.record(Event("b.kind", provider="st-elsewhere", detail={"iss": "https://canary.example"}))
    with house.database.read() as session:
        stored = session.execute(text("SELECT * FROM audit_events")).all()
    assert len(stored) == 2
    assert b"canary" not in b"".join(repr(tuple(row)).encode() for row in stored)


def test_the_same_person_has_the_same_reference_and_another_one_another(house: House) -> None:
    for patient in (ANA, ANA, BEN, PatientKey("county", "ana")):
        house.audit.record(Event("a.kind", patient=patient))
    refs = [row.patient_ref for row in rows(house)]
    assert refs[0] == refs[1]
    assert len(set(refs)) == 3


def test_what_belongs_to_no_patient_is_sealed_all_the_same(house: House) -> None:
    house.audit.record(Event("smart.iss.unknown", provider="st-elsewhere", detail={"iss": "x"}))
    (row,) = rows(house)
    assert row.patient_ref == ""
    assert detail(house, row) == {"iss": "x"}


@pytest.mark.threat("T13")
def test_once_a_patients_key_is_destroyed_their_details_are_gone_and_the_rows_stay(house: House) -> None:
    house.audit.record(Event("a.kind", patient=ANA, detail={"study": "1"}))
    house.audit.record(Event("a.kind", patient=BEN, detail={"study": "2"}))
    house.datakeys.destroy(str(ANA))
    first, second = rows(house)
    with pytest.raises(IntegrityError):
        detail(house, first, ANA)
    assert detail(house, second, BEN) == {"study": "2"}


def test_a_detail_opens_in_its_own_row_only(house: House) -> None:
    house.audit.record(Event("a.kind", patient=ANA, detail={"study": "1"}))
    house.audit.record(Event("b.kind", patient=ANA, detail={"study": "2"}))
    first, second = rows(house)
    first.detail = second.detail
    with pytest.raises(IntegrityError):
        detail(house, first, ANA)


@pytest.mark.parametrize("kind", ["", "With Space", "a..b", "a\n", "É", "x" * 65])
def test_a_kind_is_a_stable_word(kind: str) -> None:
    with pytest.raises(ValueError, match="kind"):
        Event(kind)


def test_in_the_callers_transaction_a_row_shares_its_fate(house: House) -> None:
    def undo(session: Session) -> None:
        house.audit.record(Event("undone", patient=ANA), session=session)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        house.database.run(undo)
    with house.database.write() as session:
        house.audit.record(Event("done", patient=ANA), session=session)
        assert kinds(house) == []
    assert kinds(house) == ["done"]


@pytest.mark.threat("T8")
def test_seq_grows_also_when_the_clock_goes_back_and_the_row_says_so(house: House) -> None:
    for moved in (0, 3600, -3600, -1, 31_536_000, -31_536_000):
        house.clock.advance(moved)
        house.audit.record(Event("a.kind"))
    found = rows(house)
    assert [row.seq for row in found] == sorted({row.seq for row in found})
    assert [row.skewed for row in found] == [False, False, True, False, False, True]


@pytest.mark.promise("E1")
def test_whoever_saw_the_head_never_finds_a_row_below_it_later(house: House) -> None:
    """Writers of two workers at once; a reader that watches. On PostgreSQL a bare sequence would fail this."""
    workers = [house, house.another()]
    barrier = threading.Barrier(4)
    seen: list[list[int]] = []
    done = threading.Event()

    def write(worker: House) -> Callable[[], None]:
        def work() -> None:
            barrier.wait()
            for _ in range(10):
                worker.audit.record(Event("a.kind", patient=ANA))

        return work

    def watch() -> None:
        barrier.wait()
        while not done.is_set():
            seen.append([row.seq for row in rows(house)])

    writers = [threading.Thread(target=write(workers[number % 2])) for number in range(3)]
    watcher = threading.Thread(target=watch)
    for thread in (*writers, watcher):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    watcher.join()
    final = [row.seq for row in rows(house)]
    assert len(final) == 30
    for earlier in seen:
        assert earlier == final[: len(earlier)]


@pytest.mark.threat("T11")
def test_a_trail_that_cannot_be_written_is_an_outage(house: House) -> None:
    with broken(house.database, "audit_events"):
        with pytest.raises(AuditUnavailable):
            house.audit.record(Event("a.kind", patient=ANA))
        with pytest.raises(AuditUnavailable), house.database.write() as session:
            house.audit.record(Event("a.kind"), session=session)
    assert kinds(house) == []


@pytest.mark.threat("T11")
def test_a_lock_that_is_not_given_in_time_is_an_outage(house: House) -> None:
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with house.database.write() as session:
            house.audit.record(Event("slow"), session=session)
            held.set()
            free.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(20)
    try:
        with pytest.raises(AuditUnavailable):
            house.another().audit.record(Event("late"))
    finally:
        free.set()
        thread.join()
    assert kinds(house) == ["slow"]
