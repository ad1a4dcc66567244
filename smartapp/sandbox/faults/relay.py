"""Stands before a part: passes bytes on both ways, and hands a request that a fault is set for to its trick."""

import contextlib
import select
import socket
import threading
from dataclasses import dataclass
from functools import partial
from typing import Final

from smartapp.sandbox.faults.board import Board
from smartapp.sandbox.faults.catalogue import HEADER, Part
from smartapp.sandbox.faults.tricks import TRICKS, Case
from smartapp.sandbox.faults.wire import BadRequest, Headers, Reply, Request, ask, read_body, read_request, send

_PIECE: Final = 2**18
_BACKLOG: Final = 128


@dataclass(frozen=True)
class Relay:
    """Listens on `port` of the loopback address for the part at `behind`."""

    part: Part
    port: int
    behind: int

    def listen(self, board: Board, trap: str) -> None:
        """Serves from now on, in threads that end with the process. Raises OSError if the port is taken."""
        listener = socket.create_server(("127.0.0.1", self.port), backlog=_BACKLOG)
        threading.Thread(target=self._accept, args=(listener, board, trap), daemon=True).start()

    def _accept(self, listener: socket.socket, board: Board, trap: str) -> None:
        while True:
            client, _ = listener.accept()
            connection = _Connection(self, board, trap, client)
            threading.Thread(target=connection.serve, daemon=True).start()


class _Connection:
    """One client's connection, and the one to the part that belongs to it once something was passed on."""

    def __init__(self, relay: Relay, board: Board, trap: str, client: socket.socket) -> None:
        self._relay = relay
        self._board = board
        self._trap = trap
        self._client = client
        self._server: socket.socket | None = None
        # One for the connection's life: a fresh one for each piece would be paged in each time.
        self._buffer = memoryview(bytearray(_PIECE))

    def serve(self) -> None:
        """Until either side closes, or a fault has happened. A client or part that breaks off is no concern of ours."""
        self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._client, contextlib.suppress(OSError, BadRequest):
            try:
                while self._one():
                    pass
            finally:
                if self._server is not None:
                    self._server.close()

    def _one(self) -> bool:
        """One request; whether the connection goes on."""
        request = read_request(self._client)
        if request is None:
            return False
        taken = self._board.take(self._relay.part, request.target)
        if taken is None:
            return self._pass_on(request)
        kind, fault = taken
        body = read_body(self._client, request)
        if kind.inside:
            send(self._client, self._ask(request, body, None, [(HEADER, kind.name)]))
            return False
        fetch = partial(self._ask, request, body)
        case = Case(self._client, request, body, fault.seconds or 0, self._board.clock, self._trap, fetch)
        if not TRICKS[kind.name](case):
            self._board.give_back(fault)
            send(self._client, fetch(None))
        return False

    def _ask(self, request: Request, body: bytes, target: str | None, extra: Headers | None = None) -> Reply:
        return ask(self._relay.behind, request, body, target=target, extra=extra)

    def _pass_on(self, request: Request) -> bool:
        """The request as it came, and then whatever comes, both ways, until the client begins another request.

        Nobody we serve sends a second request before the first one's answer has come (RFC 9112 §9.3.2 allows it). A
        chunked request is the last one that is looked at: what follows on its connection is passed on unseen.
        """
        if self._server is None:
            self._server = socket.create_connection(("127.0.0.1", self._relay.behind))
            self._server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._server.sendall(request.raw + request.early)
        left = request.length - len(request.early)
        while True:
            ready, _, _ = select.select([self._client, self._server], [], [])
            if self._server in ready and not self._move(self._server, self._client):
                return False
            if self._client in ready:
                if left == 0:
                    return True
                moved = self._move(self._client, self._server)
                if moved == 0:
                    return False
                left -= moved if request.length >= 0 else 0

    def _move(self, source: socket.socket, target: socket.socket) -> int:
        length = source.recv_into(self._buffer)
        target.sendall(self._buffer[:length])
        return length
