"""How long a server's certificate is still good."""

import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from smartapp.clock import Clock
from smartapp.outbound.adapter import tls_context
from smartapp.outbound.findings import Finding, State

_SOON: Final = 21
"""Days in which somebody should have a certificate renewed."""
_TIMEOUT: Final = 5.0


def certificate_of(origin: str, ca_file: Path | None, clock: Clock) -> Finding | None:
    """What is to be said of the certificate at `origin`; None for plain http, which has none."""
    parts = urlsplit(origin)
    if parts.scheme != "https":
        return None
    name = f"TLS of {origin}"
    try:
        days = (_not_after(parts.hostname or "", parts.port or 443, ca_file) - clock.now()).days
    except ssl.SSLCertVerificationError as error:
        return Finding(
            name,
            "fails",
            f"its certificate is not trusted ({error.verify_message}): name its CA in ca_file, or renew it",
        )
    except (OSError, ssl.SSLError):
        return Finding(name, "fails", "no TLS connection could be made: is the address right, and reachable from here?")
    state: State = "works" if days > _SOON else "look"
    return Finding(name, state, f"certificate is good for {days} more days")


def _not_after(host: str, port: int, ca_file: Path | None) -> datetime:
    context = tls_context(ca_file)
    with (
        socket.create_connection((host, port), timeout=_TIMEOUT) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        certificate = secured.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
