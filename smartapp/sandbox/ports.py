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
    """One port per part; `pacs` has one per hospital, of which the embedded server uses the first only.

    EHR and PACS are reached through relays, which can spoil their answers (`faults` is where that is set); they
    themselves listen `behind`.
    """

    app: int
    ehr: int
    pacs: tuple[int, ...]
    faults: int
    ehr_behind: int
    pacs_behind: tuple[int, ...]
    ohif: int
    smtp: int
    inbox: int
    sample: int


def choose_ports(base: int | None, hospitals: int) -> Ports:
    """App at `base`, OHIF at +1, EHR at +10, PACS from +20, the sample app at +30, faults at +40,
    mail at +50 and its inbox at +51; without a base, free ports.

    What is behind the relays has free ports always. Raises PortTaken.
    """
    if base is None:
        app, ohif, ehr, sample, faults, smtp, inbox, *pacs = _free(7 + hospitals)
    else:
        app, ohif, ehr, sample, faults = base, base + 1, base + 10, base + 30, base + 40
        smtp, inbox = base + 50, base + 51
        pacs = [base + 20 + n for n in range(hospitals)]
    taken = (app, ohif, ehr, sample, faults, smtp, inbox, *pacs)
    for port in taken:
        if not is_free(port):
            raise PortTaken(f"port {port} is in use: choose another --port-base")
    ehr_behind, *pacs_behind = _free(1 + hospitals, taken)
    return Ports(app, ehr, tuple(pacs), faults, ehr_behind, tuple(pacs_behind), ohif, smtp, inbox, sample)


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


def _free(count: int, taken: tuple[int, ...] = ()) -> list[int]:
    """Different free ports, none of `taken`, outside the range that the system hands to outgoing connections."""
    draw = random.SystemRandom()
    found: list[int] = []
    for _ in range(_ATTEMPTS):
        port = draw.choice(_BELOW_EPHEMERAL)
        if port not in found and port not in taken and is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise PortTaken("no free ports found")
