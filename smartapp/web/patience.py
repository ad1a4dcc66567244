"""How long a client may take. A thread of gunicorn's waits for it, and threads are few.

Half-open headers are the buffering proxy's to end: they never reach us. Bodies are small forms, so one is read whole,
under one deadline, before any work is done for it. A reader that takes nothing for a while loses its connection.
"""

import io
import socket
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

BODY_SECONDS: Final = 10.0
SEND_SECONDS: Final = 30.0
BODY_BYTES: Final = 64 * 1024


class Patience:
    """WSGI middleware. Answers 408 to a body that does not arrive, 411 to one of unknown length, 413 to a large one."""

    def __init__(
        self,
        app: WSGIApplication,
        *,
        body_seconds: float = BODY_SECONDS,
        when_slow: Callable[[], object] = lambda: None,
    ) -> None:
        """`body_seconds` is the time for the whole body, however it drips. `when_slow` is told of one that took longer:
        it raises nothing and takes no time.
        """
        self._app = app
        self._when_slow = when_slow
        self._body_seconds = body_seconds

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        connection = environ.get("gunicorn.socket")
        if isinstance(connection, socket.socket):
            connection.settimeout(SEND_SECONDS)
        refusal = self._take_body(environ, connection)
        if refusal is HTTPStatus.REQUEST_TIMEOUT:
            self._when_slow()
        if refusal is not None:
            headers = [("Content-Length", "0"), ("Connection", "close"), ("Cache-Control", "no-store")]
            start_response(f"{refusal.value} {refusal.phrase}", headers)
            return [b""]
        return self._app(environ, start_response)

    def _take_body(self, environ: WSGIEnvironment, connection: object) -> HTTPStatus | None:
        """Puts the whole body where Flask looks for it; the status to refuse with, if it must be refused."""
        if environ.get("HTTP_TRANSFER_ENCODING"):
            return HTTPStatus.LENGTH_REQUIRED
        announced = environ.get("CONTENT_LENGTH") or "0"
        length = int(announced) if announced.isascii() and announced.isdigit() else -1
        if length < 0:
            return HTTPStatus.BAD_REQUEST
        if length > BODY_BYTES:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        body = self._read(environ, length, connection) if length else b""
        environ["wsgi.input"] = io.BytesIO(body)
        return None if len(body) == length else HTTPStatus.REQUEST_TIMEOUT

    def _read(self, environ: WSGIEnvironment, length: int, connection: object) -> bytes:
        """The body, or what arrived of it by the deadline: then our side of the connection stops listening."""
        if not isinstance(connection, socket.socket):
            return bytes(environ["wsgi.input"].read(length))
        timer = threading.Timer(self._body_seconds, connection.shutdown, args=(socket.SHUT_RD,))
        timer.daemon = True
        timer.start()
        try:
            return bytes(environ["wsgi.input"].read(length))
        except OSError:
            return b""
        finally:
            timer.cancel()
