"""The queue in the database: each entry to one worker at a time, until it is done or given up."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from smartapp.db.outbox.service import GIVE_UP_AFTER, LEASE, Outbox
from smartapp.db.unit import Database
from smartapp.security.keyring import Keyring
from tests.support.clock import FixedClock


@pytest.fixture
def outbox(database: Database, keyring: Keyring, fixed_clock: FixedClock) -> Outbox:
    return Outbox(database, keyring, fixed_clock)


def put(outbox: Outbox, database: Database, payload: bytes = b"to ana@example.org") -> str:
    with database.write() as session:
        return outbox.put(session, "mail", payload)


@pytest.mark.threat("F25")
def test_of_many_workers_each_entry_goes_to_one(outbox: Outbox, database: Database) -> None:
    expected = {put(outbox, database) for _ in range(30)}
    together = threading.Barrier(4)

    def worker() -> list[str]:
        together.wait()
        taken: list[str] = []
        while entries := outbox.claim("mail", limit=3):
            taken += [entry.id for entry in entries]
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [entry for done in [pool.submit(worker) for _ in range(4)] for entry in done.result()]
    # Under PostgreSQL a worker may find all rows locked for a moment and stop: what it left is still there.
    while entries := outbox.claim("mail"):
        taken += [entry.id for entry in entries]
    assert sorted(taken) == sorted(expected)


def test_what_is_not_committed_is_never_done(outbox: Outbox, database: Database) -> None:
    def work(session: Session) -> None:
        outbox.put(session, "mail", b"x")
        raise KeyError

    with pytest.raises(KeyError):
        database.run(work)
    assert outbox.claim("mail") == []


def test_what_is_kept_is_sealed(outbox: Outbox, database: Database) -> None:
    put(outbox, database)
    with database.read() as session:
        assert b"ana" not in session.execute(text("SELECT sealed FROM outbox")).scalar_one()


@pytest.mark.threat("F16")
def test_a_killed_workers_claim_lapses(outbox: Outbox, database: Database, fixed_clock: FixedClock) -> None:
    put(outbox, database)
    (first,) = outbox.claim("mail")
    assert outbox.claim("mail") == []
    fixed_clock.advance(LEASE.total_seconds())
    (second,) = outbox.claim("mail")
    assert (second.id, second.payload, second.attempts) == (first.id, first.payload, 2)
    outbox.done(first)  # the claim was lost: it is the second's to say
    assert outbox.waiting().waiting == 1
    outbox.done(second)
    assert outbox.waiting().waiting == 0


@pytest.mark.threat("F31")
def test_failures_are_tried_again_ever_more_seldom(outbox: Outbox, database: Database, fixed_clock: FixedClock) -> None:
    put(outbox, database)
    for longest in (10, 20, 40, 80):
        (entry,) = outbox.claim("mail")
        assert outbox.failed(entry, "mail-down")
        fixed_clock.advance(longest * 0.74)
        assert outbox.claim("mail") == []
        fixed_clock.advance(longest * 0.27)
    assert outbox.waiting().dead == 0


def test_after_three_days_it_is_given_up_and_later_cleared(
    outbox: Outbox, database: Database, fixed_clock: FixedClock
) -> None:
    put(outbox, database)
    fixed_clock.advance(GIVE_UP_AFTER.total_seconds())
    (entry,) = outbox.claim("mail")
    assert not outbox.failed(entry, "mail-down")
    fixed_clock.advance(86_400)
    assert outbox.claim("mail") == []
    assert (outbox.waiting().waiting, outbox.waiting().dead, outbox.tidy()) == (0, 1, 0)
    fixed_clock.advance(30 * 86_400)
    assert outbox.tidy() == 1


@pytest.mark.threat("F25")
def test_what_cannot_be_opened_stands_in_nobodys_way(outbox: Outbox, database: Database) -> None:
    bad = put(outbox, database)
    good = put(outbox, database)
    with database.write() as session:
        session.execute(text("UPDATE outbox SET kind = 'other' WHERE id = :id"), {"id": bad})
        session.execute(text("UPDATE outbox SET sealed = (SELECT sealed FROM outbox WHERE id = :good), kind = 'mail' "
                             "WHERE id = :id"), {"id": bad, "good": good})  # fmt: skip
    assert [entry.id for entry in outbox.claim("mail")] == [good]
    assert outbox.waiting().dead == 1
