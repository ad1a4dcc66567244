"""An HTTP server on a free loopback port that answers what a test tells it to, and remembers what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    form: dict[str, str]
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Said:
    body: bytes = b""
    status: int = 200
    media: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def said(value: Any, status: int = 200, media: str = "application/json", **headers: str) -> Said:
    return Said(json.dumps(value).encode(), status, media, {name.replace("_", "-"): v for name, v in headers.items()})


Route = Callable[[Asked], Said]


class Server:
    """`routes` maps a path to what answers it; anything else is 404. `log` is every request, in order."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.routes: dict[str, Route] = {}
        self.log: list[Asked] = []

    def at(self, path: str, answer: Said | Route) -> None:
        self.routes[path] = answer if callable(answer) else lambda _asked: answer

    def asked(self, path: str) -> list[Asked]:
        return [one for one in self.log if one.path == path]


@contextmanager
def serving() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two writes: the second would wait for the first one's ACK

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(
                self.command,
                parts.path,
                dict(parse_qsl(parts.query)),
                {name.lower(): value for name, value in self.headers.items()},
                dict(parse_qsl(body.decode(), keep_blank_values=True)),
                body,
            )
            server.log.append(asked)
            answer = server.routes[parts.path](asked) if parts.path in server.routes else said({}, 404)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.media)
            self.send_header("Content-Length", str(len(answer.body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 - the names that http.server calls

        def log_message(self, *_args: Any) -> None:
            """Tests read `log` instead."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = Server(http.server_address[1])
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join(10)
        http.server_close()
