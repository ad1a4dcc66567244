"""Deadlines over a whole answer. A read timeout alone starts anew with every byte: one byte a second defeats it."""

import http.client
import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

_BUFFER_BYTES: Final = 2**16


class Deadline:
    """A moment on the monotonic clock; can be moved while the answer is being read."""

    def __init__(self, seconds: float) -> None:
        self.renew(seconds)

    def renew(self, seconds: float) -> None:
        """The deadline is `seconds` from now."""
        self._at = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left; zero or less when it has passed."""
        return self._at - time.monotonic()


_current = threading.local()


@contextmanager
def applies(deadline: Deadline) -> Iterator[None]:
    """Answers that begin in this block, in this thread, end by `deadline`, also where they are read later."""
    _current.deadline = deadline
    try:
        yield
    finally:
        del _current.deadline


def time_left() -> float:
    """Seconds left of the deadline that applies in this thread."""
    deadline: Deadline = _current.deadline
    return deadline.remaining()


class _TimedSocket(io.RawIOBase):
    """Reads a socket, waiting each time for the read timeout or the deadline, whichever is sooner."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: Deadline) -> None:
        self._raw = raw
        self._sock = sock
        self._patience = sock.gettimeout()
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._raw.fileno()

    def readinto(self, buffer: Any, /) -> int | None:
        left = self._deadline.remaining()
        if left <= 0:
            raise TimeoutError("deadline")
        self._sock.settimeout(left if self._patience is None else min(self._patience, left))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class TimedResponse(http.client.HTTPResponse):
    """An answer whose head and body are read under the deadline that applied when it began."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_TimedSocket(raw, sock, _current.deadline), _BUFFER_BYTES)
