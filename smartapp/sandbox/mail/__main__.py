"""`python -m smartapp.sandbox.mail --smtp-port N --inbox-port M`: serve until SIGTERM."""

import argparse
import asyncio
import threading

from aiosmtpd.smtp import SMTP, Envelope, Session

from smartapp.sandbox.mail.inbox import Inbox, make_server


class Taker:
    """Takes every letter."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd
        """RFC 5321 §4.1.1.4."""
        self._inbox.take(envelope.mail_from or "", list(envelope.rcpt_tos), envelope.original_content or b"")
        return "250 OK"


async def _serve(port: int, inbox: Inbox) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(Taker(inbox), hostname="mail.sandbox"), "127.0.0.1", port
    )
    await server.serve_forever()


def main() -> None:
    """SMTP in this thread, the inbox in another."""
    parser = argparse.ArgumentParser(prog="python -m smartapp.sandbox.mail", description=__doc__)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--inbox-port", type=int, required=True)
    arguments = parser.parse_args()
    inbox = Inbox()
    threading.Thread(target=make_server(arguments.inbox_port, inbox).serve_forever, daemon=True).start()
    asyncio.run(_serve(arguments.smtp_port, inbox))


if __name__ == "__main__":
    main()
