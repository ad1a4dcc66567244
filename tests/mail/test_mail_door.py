"""Handing letters to a real mail server."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smartapp.errors import UpstreamDown, UpstreamRefused
from smartapp.outbound.mail import Letter, MailDoor, MailRefused
from smartapp.settings import Mail
from tests.mail.post_office import free_port, post_office
from tests.support.certificates import authority

LETTER = Letter(
    "ana@example.org",
    "Une connexion",
    "Tout va bien.\n",
    "fr",
    "<out-1@example.org>",
    datetime(2026, 11, 24, tzinfo=UTC),
)


def plain(port: int) -> MailDoor:
    return MailDoor(Mail("127.0.0.1", port, "none", "alerts@example.org"))


@pytest.mark.clause("RFC 5322", "3.6")
def test_a_letter_arrives_as_it_was_written() -> None:
    with post_office() as office:
        plain(office.port).send(LETTER)
    (letter,) = office.letters
    assert office.recipients == ["ana@example.org"]
    assert (letter["To"], letter["From"], letter["Subject"]) == (
        "ana@example.org",
        "alerts@example.org",
        "Une connexion",
    )
    assert letter["Message-ID"] == "<out-1@example.org>"
    assert letter["Date"].datetime == LETTER.written_at
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_content().replace("\r", "") == "Tout va bien.\n"


@pytest.mark.parametrize("answer", ["550 no such mailbox", "554 refused"])
def test_what_is_refused_for_ever_is_not_worth_another_try(answer: str) -> None:
    with post_office() as office:
        office.answer = answer
        with pytest.raises(MailRefused, match=answer[:3]):
            plain(office.port).send(LETTER)


def test_what_is_refused_for_now_is() -> None:
    with post_office() as office:
        office.answer = "451 later"
        with pytest.raises(UpstreamDown, match="451"):
            plain(office.port).send(LETTER)


def test_a_server_that_is_not_there_is_down() -> None:
    with pytest.raises(UpstreamDown):
        plain(free_port()).send(LETTER)


@pytest.mark.threat("W3")
@pytest.mark.parametrize("subject", ["Hello\r\nBcc: eve@example.org", "Hello\nX: y"])
def test_no_header_can_be_slipped_in(subject: str) -> None:
    with post_office() as office, pytest.raises(MailRefused):
        plain(office.port).send(Letter("ana@example.org", subject, "", "en", "<1@x>", LETTER.written_at))
    assert office.letters == []


@pytest.mark.threat("F12")
def test_letters_travel_under_tls_to_the_server_that_is_meant(tmp_path: Path) -> None:
    later = datetime.now(UTC) + timedelta(days=10)
    ca = authority(tmp_path, later)
    password = tmp_path / "password"
    password.write_text("a real secret\n")
    with post_office(tls=ca.server("127.0.0.1", later), auth=True) as office:
        known = Mail("127.0.0.1", office.port, "starttls", "alerts@example.org", "smartapp", password, ca.ca_file)
        MailDoor(known).send(LETTER)
        assert office.signed_in == [b"smartapp"]
        with pytest.raises(UpstreamDown, match="mail-tls"):
            MailDoor(Mail("127.0.0.1", office.port, "starttls", "alerts@example.org")).send(LETTER)
        password.write_text("another")
        with pytest.raises(UpstreamRefused, match="mail-sign-in"):
            MailDoor(known).probe()
    assert len(office.letters) == 1


@pytest.mark.threat("F12")
def test_a_server_without_tls_gets_nothing() -> None:
    with post_office() as office, pytest.raises(UpstreamDown, match="mail-not-offered"):
        MailDoor(Mail("127.0.0.1", office.port, "starttls", "alerts@example.org")).send(LETTER)
    assert office.letters == []
