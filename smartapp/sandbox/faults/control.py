"""The `faults` address: sees, sets and clears faults, and shifts the clocks.

`GET /` lists what can be set and what is set. `PUT /ehr` or `/pacs` sets one fault in place of the others, `POST` adds
one, `DELETE` clears. `PUT /clock {"seconds": n}` sets the shift of all clocks, `POST` adds to it. `DELETE /` clears
all.
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from smartapp.sandbox.faults.board import BadFault, Board
from smartapp.sandbox.faults.catalogue import KINDS, Part

TRAP = "/trap"
_LONGEST_BODY = 65536


def make_server(port: int, board: Board) -> ThreadingHTTPServer:
    """The server, listening on the loopback address. Raises OSError if the port is taken."""

    class Handler(_Handler):
        pass

    Handler.board = board
    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


class _Handler(BaseHTTPRequestHandler):
    board: Board

    def do_GET(self) -> None:
        if self.path.startswith(TRAP):
            self.board.trap()
        elif self.path != "/":
            self._say(404, {"error": "no such address"})
            return
        self._say(200, self.board.state())

    def do_PUT(self) -> None:
        self._change(alone=True)

    def do_POST(self) -> None:
        self._change(alone=False)

    def do_DELETE(self) -> None:
        parts = [part for part in KINDS if self.path in {"/", f"/{part}"}]
        for part in parts:
            self.board.clear(part)
        if self.path in {"/", "/clock"}:
            self.board.shift(0)
        elif not parts:
            self._say(404, {"error": "no such part"})
            return
        self._say(200, self.board.state())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class's name
        """Nothing: what was set can be seen at the address."""

    def _change(self, *, alone: bool) -> None:
        try:
            asked = self._body()
            part: Part | None = next((part for part in KINDS if self.path == f"/{part}"), None)
            if part is not None:
                self.board.add(part, asked, alone=alone)
            elif self.path == "/clock":
                self.board.shift(_seconds(asked), further=not alone)
            else:
                self._say(404, {"error": "no such part"})
                return
        except BadFault as error:
            self._say(400, {"error": str(error)})
            return
        self._say(200, self.board.state())

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _LONGEST_BODY:
            raise BadFault("send a JSON object with its Content-Length")
        try:
            asked = json.loads(self.rfile.read(int(length)))
        except ValueError:
            raise BadFault("the body is no JSON") from None
        if not isinstance(asked, dict):
            raise BadFault("send a JSON object")
        return asked

    def _say(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document, indent=1).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _seconds(asked: dict[str, Any]) -> int:
    seconds = asked.get("seconds")
    if type(seconds) is not int or set(asked) != {"seconds"}:
        raise BadFault('send {"seconds": n}, a whole number')
    return seconds
