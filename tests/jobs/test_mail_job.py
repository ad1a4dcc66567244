"""Letters leave when the mail server is there, once."""

import json
import threading
from typing import Any

import pytest
from sqlalchemy import text

from smartapp.audit.service import AuditTrail
from smartapp.db.datakeys import DataKeys
from smartapp.db.outbox.service import Entry, Outbox
from smartapp.db.unit import Database
from smartapp.errors import DatabaseBusy
from smartapp.jobs.loop import run
from smartapp.jobs.mail import MailJob
from smartapp.outbound.mail import MailDoor
from smartapp.security.keyring import Keyring
from smartapp.settings import Mail
from tests.mail.post_office import free_port, post_office
from tests.support.clock import FixedClock


class Post:
    """A job and what it stands upon."""

    def __init__(self, database: Database, keyring: Keyring, clock: FixedClock, port: int) -> None:
        self.database, self.clock = database, clock
        self.outbox = Outbox(database, keyring, clock)
        self.audit = AuditTrail(database, keyring, DataKeys(database, keyring, clock), clock)
        door = MailDoor(Mail("127.0.0.1", port, "none", "a@b.example"))
        self.job = MailJob(self.outbox, door, "a@b.example", clock, self.audit)

    def write(self, **changed: Any) -> str:
        letter = {"to": "ana@example.org", "language": "en", "subject": "S", "text": "T\n", "not_after": None} | changed
        with self.database.write() as session:
            return self.outbox.put(session, "mail", json.dumps(letter).encode())


def kinds(post: Post) -> list[str]:
    """The rows of the trail."""
    with post.database.read() as session:
        return list(session.scalars(text("SELECT kind FROM audit_events ORDER BY seq")))


@pytest.fixture
def post(sqlite_database: Database, keyring: Keyring, fixed_clock: FixedClock) -> Post:
    return Post(sqlite_database, keyring, fixed_clock, free_port())


def port_of(post: Post) -> int:
    return post.job._door._settings.smtp_port


@pytest.mark.threat("F31")
def test_a_server_that_comes_back_gets_every_letter_once(post: Post) -> None:
    written = post.write()
    for _ in range(3):
        assert post.job.run_once() == 1
        post.clock.advance(60)
    assert kinds(post) == ["notify.retry"]  # the others of these minutes are counted
    with post_office(port_of(post)) as office:
        assert post.job.run_once() == 1
        post.clock.advance(86_400)
        assert post.job.run_once() == 0
    assert [letter["Message-ID"] for letter in office.letters] == [f"<{written}@b.example>"]
    assert post.outbox.waiting().waiting == 0


@pytest.mark.threat("F31")
def test_a_letter_that_was_taken_is_not_sent_again_while_the_database_is_away(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.write()

    def away(_entry: Entry) -> None:
        raise DatabaseBusy

    with post_office(port_of(post)) as office:
        with monkeypatch.context() as patched:
            patched.setattr(post.outbox, "done", away)
            with pytest.raises(DatabaseBusy):
                post.job.run_once()
        post.clock.advance(600)
        assert post.job.run_once() == 1
    assert len(office.letters) == 1
    assert post.outbox.waiting().waiting == 0


def test_a_refused_letter_is_given_up(post: Post) -> None:
    post.write()
    with post_office(port_of(post)) as office:
        office.answer = "550 no such mailbox"
        post.job.run_once()
    with post.database.read() as session:
        assert (
            session.execute(text("SELECT fault FROM outbox WHERE dead_at IS NOT NULL")).scalar_one()
            == "mail-status-550"
        )
    assert kinds(post) == ["job.dead"]


@pytest.mark.threat("F25")
def test_a_poisoned_letter_is_given_up_and_the_next_one_leaves(post: Post) -> None:
    with post.database.write() as session:
        post.outbox.put(session, "mail", b"{no json")
        post.outbox.put(session, "mail", b'{"to": "x"}')
    post.write()
    with post_office(port_of(post)) as office:
        assert post.job.run_once() == 3
    assert len(office.letters) == 1
    assert post.outbox.waiting().dead == 2


@pytest.mark.threat("F25")
def test_a_code_that_lapsed_is_not_sent(post: Post) -> None:
    post.write(not_after=post.clock.now().isoformat())
    with post_office(port_of(post)) as office:
        assert post.job.run_once() == 1
    assert office.letters == []
    assert post.outbox.waiting().waiting == 0


def test_the_loop_outlives_a_database_that_is_away_and_ends_when_told() -> None:
    stop = threading.Event()
    asked: list[int] = []

    class Shaky:
        def run_once(self) -> int:
            asked.append(1)
            if len(asked) == 3:
                stop.set()
            raise DatabaseBusy

    run([Shaky()], stop, pause=0.001)
    assert len(asked) == 3
