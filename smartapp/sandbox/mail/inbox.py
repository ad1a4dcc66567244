"""What came, newest last, and the page and the JSON in which it is read."""

import json
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

_MOST = 500


@dataclass(frozen=True)
class Message:
    """A letter as it was taken; `received_at` is UTC."""

    to: list[str]
    sender: str
    subject: str
    message_id: str
    text: str
    received_at: str


class Inbox:
    """The last 500 letters. Safe to share by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._messages: list[Message] = []

    def take(self, sender: str, to: list[str], content: bytes) -> None:
        """Keeps a letter."""
        letter = message_from_bytes(content, policy=policy.default)
        body = letter.get_body(("plain",))
        text = str(body.get_content()).replace("\r\n", "\n") if body is not None else ""
        subject, message_id = str(letter.get("Subject", "")), str(letter.get("Message-ID", ""))
        message = Message(to, sender, subject, message_id, text, datetime.now(UTC).isoformat())
        with self._lock:
            self._messages = [*self._messages, message][-_MOST:]

    def messages(self, to: str | None) -> list[Message]:
        """All of them, or those to one address."""
        with self._lock:
            return [message for message in self._messages if to is None or to in message.to]


def make_server(port: int, inbox: Inbox) -> ThreadingHTTPServer:
    """`/` for people, `/messages[?to=address]` for programs (JSON), on 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            to = parse_qs(parts.query).get("to", [None])[0]
            if parts.path == "/messages":
                self._answer(200, "application/json", json.dumps([asdict(each) for each in inbox.messages(to)]))
            elif parts.path == "/":
                self._answer(200, "text/html; charset=utf-8", _page(inbox.messages(to)))
            else:
                self._answer(404, "text/plain", "")

        def _answer(self, status: int, kind: str, body: str) -> None:
            content = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_args: object) -> None:
            """Nothing: the letters are there to be read."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def _page(messages: list[Message]) -> str:
    letters = "".join(
        f"<article><h2>{escape(each.subject)}</h2><p>To {escape(', '.join(each.to))}, {escape(each.received_at)}</p>"
        f"<pre>{escape(each.text)}</pre></article>"
        for each in reversed(messages)
    )
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Mailbox</title><h1>Mailbox</h1>'
    return head + (letters or "<p>No mail yet.</p>")
