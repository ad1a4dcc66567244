"""The whole application with a mail server, and the worker's job that writes to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage

import pytest

from smartapp.db.outbox.service import Outbox
from smartapp.jobs.mail import MailJob
from smartapp.outbound.mail import MailDoor
from smartapp.settings import Mail
from tests.mail.post_office import PostOffice, free_port, post_office
from tests.support.databases import SqliteFiles
from tests.threats.composed import Browser, Composed, composed


@dataclass
class Site:
    """One hospital's people, our pages, and the mail that leaves."""

    composed: Composed
    mail: Mail

    def signed_in(self, patient: str = "ana") -> Browser:
        return self.composed.signed_in(patient)

    def work(self) -> int:
        """The worker's turn; how many letters it tried."""
        ground = self.composed.ground
        outbox = Outbox(ground.database, ground.keyring, ground.clock)
        return MailJob(outbox, MailDoor(self.mail), self.mail.sender, ground.clock, ground.audit).run_once()

    def letters(self, office: PostOffice) -> list[EmailMessage]:
        """What arrives now, after what had arrived before."""
        before = len(office.letters)
        self.work()
        return office.letters[before:]

    def with_alerts(self, office: PostOffice, address: str = "ana@example.org") -> Browser:
        """Ana, whose alerts go to `address`."""
        browser = self.signed_in()
        browser.post(f"/my/{browser.ctx}/alerts/address", address=address)
        code = code_in(self.letters(office)[-1])
        assert browser.post(f"/my/{browser.ctx}/alerts/confirm", code=code).status_code == 200
        return browser


def code_in(letter: EmailMessage) -> str:
    found = re.search(r"^    (\S+)$", text_of(letter), re.MULTILINE)
    assert found is not None
    return found[1]


def text_of(letter: EmailMessage) -> str:
    return str(letter.get_content()).replace("\r", "")


@pytest.fixture
def site(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    mail = Mail("127.0.0.1", free_port(), "none", "alerts@images.example.org")
    with composed(sqlite_files, tmp_path_factory.mktemp("alerts"), mail=mail) as running:
        yield Site(running, mail)


@pytest.fixture
def office(site: Site) -> Iterator[PostOffice]:
    with post_office(site.mail.smtp_port) as running:
        yield running
