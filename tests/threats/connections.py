"""A hook at the sockets of this process: every connection that is made, and every name that is looked up."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from tests.threats.hospital import Hospital


@dataclass
class Seen:
    """`peers` are (host, port) of the connections, `names` what was asked of the resolver."""

    peers: set[tuple[str, int]] = field(default_factory=set)
    names: set[str] = field(default_factory=set)


@contextmanager
def recorded() -> Iterator[Seen]:
    seen = Seen()
    connect, lookup = socket.socket.connect, socket.getaddrinfo

    def noted_connect(self: socket.socket, address: Any) -> Any:
        seen.peers.add(tuple(address[:2]) if isinstance(address, tuple) else (str(address), 0))
        return connect(self, address)

    def noted_lookup(host: Any, *args: Any, **kwargs: Any) -> Any:
        seen.names.add(str(host))
        return lookup(host, *args, **kwargs)

    with patch.object(socket.socket, "connect", noted_connect), patch.object(socket, "getaddrinfo", noted_lookup):
        yield seen


def configured(*hospitals: Hospital) -> set[tuple[str, int]]:
    """Where the process may connect to."""
    origins = [urlsplit(origin) for each in hospitals for origin in each.provider().trusted_origins]
    return {(str(origin.hostname), int(origin.port or 0)) for origin in origins}
