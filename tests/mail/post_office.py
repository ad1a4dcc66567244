"""A mail server in this process, for tests: it takes letters, or refuses them as it is told."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class PostOffice:
    """`answer` is what it says to the next letters; only those that it takes with 250 are among `letters`."""

    port: int
    answer: str = "250 OK"
    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    signed_in: list[bytes] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd
        if self.answer.startswith("250"):
            content = envelope.original_content
            assert content is not None
            letter = message_from_bytes(content, policy=policy.default)
            assert isinstance(letter, EmailMessage)
            self.letters.append(letter)
            self.recipients += envelope.rcpt_tos
        return self.answer

    def sign_in(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: object) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.signed_in.append(data.login)
        return AuthResult(success=data.password == b"a real secret", handled=False)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def post_office(
    port: int | None = None, tls: ssl.SSLContext | None = None, *, auth: bool = False
) -> Iterator[PostOffice]:
    """On a free port, or again on one that it had."""
    office = PostOffice(port or free_port())
    options: dict[str, Any] = (
        {"authenticator": office.sign_in, "auth_required": True, "auth_require_tls": True} if auth else {}
    )
    controller = Controller(
        office, hostname="127.0.0.1", port=office.port, tls_context=tls, require_starttls=tls is not None, **options
    )
    controller.start()
    try:
        yield office
    finally:
        controller.stop()
