"""Upstreams that misbehave on the wire: each connection is handed to a script that writes raw bytes."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Script = Callable[[socket.socket, bytes, int], None]
"""Gets the connection, the request's head, and the number of the request (from 0)."""


@dataclass
class WireServer:
    """A server on a free loopback port. `requests` are the heads it got; `released` lets stalled scripts end."""

    port: int
    scheme: str
    requests: list[bytes] = field(default_factory=list, repr=False)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def origin(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"


@contextmanager
def wire_server(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[WireServer]:
    """Runs `script` for every request; a connection is kept as long as the script leaves it open."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = WireServer(listener.getsockname()[1], "https" if tls else "http")
        threads: list[threading.Thread] = []
        connections: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                if tls:
                    connection = tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
                connections.append(connection)
                threads.append(threading.Thread(target=_serve, args=(server, script, connection)))
                threads[-1].start()

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield server
        finally:
            server.released.set()
            listener.shutdown(socket.SHUT_RDWR)
            for connection in connections:
                with suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
            for thread in (acceptor, *threads):
                thread.join(10)
            for connection in connections:
                connection.close()


def _serve(server: WireServer, script: Script, connection: socket.socket) -> None:
    with suppress(OSError), connection:
        while head := _read_head(connection):
            server.requests.append(head)
            script(connection, head, len(server.requests) - 1)


def _read_head(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    return data


def answer(body: bytes = b"", status: str = "200 OK", *headers: str) -> bytes:
    """A whole HTTP/1.1 answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answering(*answers: bytes) -> Script:
    """A script that gives these answers in turn, and the last one from then on."""

    def script(connection: socket.socket, _head: bytes, number: int) -> None:
        connection.sendall(answers[min(number, len(answers) - 1)])

    return script
