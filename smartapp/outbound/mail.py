"""The way out for mail (RFC 5321), over TLS. What could not be sent is said to be worth another try, or not."""

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from smartapp.errors import UpstreamDown, UpstreamError, UpstreamRefused
from smartapp.outbound.adapter import tls_context
from smartapp.settings import Mail

TIMEOUT: Final = 10.0
"""Seconds without a word from the server."""
TOTAL: Final = 60.0
"""Seconds for a whole letter, however the server drips: a claim on the letter must outlast it."""


class MailRefused(UpstreamError):
    """The server will never take this letter (RFC 5321 §4.2.1, 5yz), or it cannot be written at all."""

    code = "mail-refused"


@dataclass(frozen=True)
class Letter:
    """A letter in plain text. `message_id` is the same at every attempt: who gets it twice can tell."""

    to: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    language: str
    message_id: str
    written_at: datetime


class MailDoor:
    """Sends letters through the configured server. Safe to share by threads: each letter has its own connection."""

    def __init__(self, settings: Mail, *, total: float = TOTAL) -> None:
        self._settings = settings
        self._total = total

    def send(self, letter: Letter) -> None:
        """Hands a letter to the server. Raises MailRefused, or UpstreamDown when it is worth another try.

        UpstreamRefused when the server does not take our name and password: somebody has to look.
        """
        message = _message(letter, self._settings.sender)
        with self._connected() as server:
            server.send_message(message, self._settings.sender, [letter.to])

    def probe(self) -> None:
        """Connects, secures the connection and signs in, as for a letter. Raises as `send` does."""
        with self._connected() as server:
            server.noop()

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        with _translated():
            server = self._connect()
            timer = threading.Timer(self._total, _hang_up, args=(server,))
            timer.daemon = True
            timer.start()
            try:
                self._introduce(server)
                yield server
            finally:
                timer.cancel()
                _leave(server)

    def _connect(self) -> smtplib.SMTP:
        """`local_hostname` is given: smtplib would ask the name service for ours, without any timeout."""
        place = (self._settings.smtp_host, self._settings.smtp_port, "[127.0.0.1]")
        if self._settings.security == "tls":
            context = tls_context(self._settings.ca_file)
            return smtplib.SMTP_SSL(*place, timeout=TIMEOUT, context=context)
        return smtplib.SMTP(*place, timeout=TIMEOUT)

    def _introduce(self, server: smtplib.SMTP) -> None:
        server.ehlo()
        if self._settings.security == "starttls":
            server.starttls(context=tls_context(self._settings.ca_file))
            server.ehlo()
        if self._settings.password_file is not None:
            server.login(self._settings.user, self._settings.password_file.read_text("utf-8").strip())


def _message(letter: Letter, sender: str) -> EmailMessage:
    """RFC 5322; RFC 3834 §5: no answering machine answers this, and none of ours reads answers."""
    message = EmailMessage()
    try:
        message["From"], message["To"], message["Subject"] = sender, letter.to, letter.subject
        message["Message-ID"] = letter.message_id
    except ValueError:
        raise MailRefused("mail-header") from None
    message["Date"] = format_datetime(letter.written_at)
    message["Content-Language"] = letter.language
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, cte="quoted-printable")
    return message


def _hang_up(server: smtplib.SMTP) -> None:
    with suppress(OSError):
        if server.sock is not None:
            server.sock.shutdown(socket.SHUT_RDWR)


def _leave(server: smtplib.SMTP) -> None:
    """The letter was taken or not by now: a farewell that fails changes nothing."""
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()


@contextmanager
def _translated() -> Iterator[None]:
    """The library's errors quote the server, which quotes addresses: only codes pass."""
    try:
        yield
    except smtplib.SMTPAuthenticationError:
        raise UpstreamRefused("mail-sign-in") from None
    except smtplib.SMTPNotSupportedError:
        raise UpstreamDown("mail-not-offered") from None
    except smtplib.SMTPRecipientsRefused as error:
        _judge(max(code for code, _ in error.recipients.values()))
    except smtplib.SMTPResponseException as error:
        _judge(error.smtp_code)
    except ssl.SSLError:
        raise UpstreamDown("mail-tls") from None
    except (smtplib.SMTPException, OSError):
        raise UpstreamDown("mail-down") from None


def _judge(status: int) -> None:
    if status >= 500:
        raise MailRefused(f"mail-status-{status}") from None
    raise UpstreamDown(f"mail-status-{status}") from None
