"""A client that costs next to nothing: `requests` takes a millisecond an answer, more than what is measured."""

from __future__ import annotations

import base64
import socket
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self
from urllib.parse import urlsplit

SECONDS = 120.0
_ROOM = 2**20


class Connection:
    """One kept connection to an http address of this machine (RFC 9112). Bodies are counted and thrown away."""

    def __init__(self, url: str, headers: Mapping[str, str], auth: tuple[str, str] | None = None) -> None:
        """`headers` and `auth` (Basic) go with every request."""
        parts = urlsplit(url)
        sent = {"Host": parts.netloc, **headers}
        if auth is not None:
            sent["Authorization"] = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
        self._address = (str(parts.hostname), int(parts.port or 80))
        self._head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        self._room = memoryview(bytearray(_ROOM))
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._close()

    def get(self, url: str) -> int:
        """The bytes of the body. Raises AssertionError for another status than 200 and for a body that is cut."""
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        request = f"GET {target} HTTP/1.1\r\n{self._head}\r\n".encode()
        try:
            self._socket.sendall(request)
            status = self._file.readline()
        except OSError:
            status = b""
        if not status:  # it was kept too long: Orthanc ends one after a second
            self._close()
            self._open()
            self._socket.sendall(request)
            status = self._file.readline()
        assert status.split(b" ")[1] == b"200", status
        return self._body(self._headers())

    def _open(self) -> None:
        self._socket = socket.create_connection(self._address, SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")

    def _close(self) -> None:
        self._file.close()
        self._socket.close()

    def _headers(self) -> dict[bytes, bytes]:
        found = {}
        while line := self._file.readline().strip():
            name, _, value = line.partition(b":")
            found[name.lower()] = value.strip().lower()
        return found

    def _body(self, headers: Mapping[bytes, bytes]) -> int:
        if headers.get(b"transfer-encoding") == b"chunked":
            size = self._chunks()
        elif b"content-length" in headers:
            size = self._exactly(int(headers[b"content-length"]))
        else:
            size = self._to_the_end()
        if headers.get(b"connection") == b"close":
            self._close()
            self._open()
        return size

    def _chunks(self) -> int:
        size = 0
        while length := int(self._file.readline(), 16):
            size += self._exactly(length)
            assert self._file.readline() == b"\r\n"
        assert self._file.readline() == b"\r\n"
        return size

    def _exactly(self, size: int) -> int:
        left = size
        while left:
            got = self._file.readinto(self._room[: min(left, _ROOM)])
            assert got, "cut"
            left -= got
        return size

    def _to_the_end(self) -> int:
        """Only the end of the connection ends such a body: it is good for no other request."""
        size = 0
        while got := self._file.readinto(self._room):
            size += got
        self._close()
        self._open()
        return size


def drained(url: str, headers: Mapping[str, str], auth: tuple[str, str] | None = None) -> int:
    """Reads the answer to its end; bytes."""
    with Connection(url, headers, auth) as connection:
        return connection.get(url)


def many(
    urls: Sequence[str], headers: Mapping[str, str], auth: tuple[str, str] | None = None, connections: int = 8
) -> int:
    """Asks for all, over so many kept connections; how many answers."""

    def each(part: Sequence[str]) -> int:
        with Connection(part[0], headers, auth) as connection:
            return sum(connection.get(url) > 0 for url in part)

    parts = [part for part in (urls[n::connections] for n in range(connections)) if part]
    with ThreadPoolExecutor(connections) as pool:
        return sum(pool.map(each, parts))
