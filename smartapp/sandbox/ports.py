"""Which ports the sandbox listens on."""

import random
import socket
from dataclasses import dataclass

_BELOW_EPHEMERAL = range(20000, 32000)
_ATTEMPTS = 200


class PortTaken(RuntimeError):
    """A port that was asked for is in use; the message names it."""


@dataclass(frozen=True)
class Ports:
    """One port per part; `pacs` has one per hospital, of which the embedded server uses the first only."""

    app: int
    ehr: int
    pacs: tuple[int, ...]


def choose_ports(base: int | None, hospitals: int) -> Ports:
    """App at `base`, EHR at +10, PACS from +20; free ports without a base. Raises PortTaken."""
    if base is None:
        app, ehr, *pacs = _free(2 + hospitals)
        return Ports(app, ehr, tuple(pacs))
    ports = Ports(base, base + 10, tuple(base + 20 + n for n in range(hospitals)))
    for port in (ports.app, ports.ehr, *ports.pacs):
        if not is_free(port):
            raise PortTaken(f"port {port} is in use: choose another --port-base")
    return ports


def is_free(port: int) -> bool:
    """Whether nobody listens on this port of the loopback address."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free(count: int) -> list[int]:
    """Different free ports outside the range that the system hands to outgoing connections."""
    draw = random.SystemRandom()
    found: list[int] = []
    for _ in range(_ATTEMPTS):
        port = draw.choice(_BELOW_EPHEMERAL)
        if port not in found and is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise PortTaken("no free ports found")
