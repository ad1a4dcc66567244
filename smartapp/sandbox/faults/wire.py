"""HTTP/1.1 as the relays read and write it (RFC 9112)."""

import http.client
import socket
from dataclasses import dataclass
from typing import Final

_LONGEST_HEAD: Final = 65536
_PIECE: Final = 65536
_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "upgrade", "te"})
_TIMEOUT: Final = 60.0

Headers = list[tuple[str, str]]


class BadRequest(ValueError):
    """The client sent something that is no HTTP request."""


@dataclass(frozen=True)
class Request:
    """A request whose head has been read; `raw` is that head, `early` what of the body came along with it."""

    method: str
    target: str
    headers: Headers
    raw: bytes
    early: bytes

    def header(self, name: str) -> str:
        """A header's value, empty if it is not there."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def length(self) -> int:
        """The body's length in bytes; -1 for a chunked one."""
        if self.header("Transfer-Encoding"):
            return -1
        text = self.header("Content-Length")
        return int(text) if text.isdigit() else 0


@dataclass(frozen=True)
class Reply:
    """A whole answer, without the headers that concern one connection only."""

    status: int
    headers: Headers
    body: bytes

    def header(self, name: str) -> str:
        """A header's value, empty if it is not there."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def read_request(client: socket.socket) -> Request | None:
    """The next request's head; None when the client has closed. Raises BadRequest."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(_PIECE)
        if not piece:
            return None
        data += piece
        if len(data) > _LONGEST_HEAD:
            raise BadRequest
    head, _, early = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3:
        raise BadRequest
    fields = (line.partition(":") for line in lines)
    headers = [(name, value.strip()) for name, _, value in fields]
    return Request(words[0], words[1], headers, head + b"\r\n\r\n", early)


def read_body(client: socket.socket, request: Request) -> bytes:
    """The request's whole body. Raises BadRequest for a chunked one: who sends those cannot be given a fault."""
    if request.length < 0:
        raise BadRequest
    body = request.early
    while len(body) < request.length:
        piece = client.recv(_PIECE)
        if not piece:
            raise BadRequest
        body += piece
    return body


def ask(port: int, request: Request, body: bytes, *, target: str | None = None, extra: Headers | None = None) -> Reply:
    """The part's own answer, read whole, to this request (or to one of the same sender for another `target`)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    try:
        connection.putrequest(request.method, target or request.target, skip_host=True, skip_accept_encoding=True)
        kept = [(name, value) for name, value in request.headers if name.lower() not in _HOP]
        for name, value in [*kept, *(extra or []), ("Connection", "close")]:
            connection.putheader(name, value)
        if body:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP]
        return Reply(answer.status, headers, answer.read())
    finally:
        connection.close()


def head_of(reply: Reply, length: int | None) -> bytes:
    """The bytes before the body; `length` is what Content-Length says, None for an end by closing (RFC 9112 §6.3)."""
    phrase = http.client.responses.get(reply.status, "")
    lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in reply.headers)]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


def send(client: socket.socket, reply: Reply) -> None:
    """The whole answer."""
    client.sendall(head_of(reply, len(reply.body)) + reply.body)
