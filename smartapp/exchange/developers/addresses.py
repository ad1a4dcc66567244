"""Addresses that a developer names. Read by one narrow grammar, so that every reader of them means the same place."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

_ADDRESS: Final = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[::1\])"
    r"(:(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<rest>(/[A-Za-z0-9._~!$&'()*+,;=:@/%-]*)?(\?[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*)?)",
    re.ASCII,
)
"""Of RFC 3986, without user names, fragments, upper-case hosts, dots at the end; nothing beyond ASCII."""
_ESCAPED: Final = re.compile(r"%(?![0-9A-F]{2})|%[01]|%7F|%5C", re.IGNORECASE)
"""A percent sign that escapes nothing, or a control or backslash."""
_DOTS: Final = re.compile(r"/\.{1,2}(/|\?|\Z)|/(?:%2e|\.){1,2}(/|\?|\Z)|//", re.IGNORECASE)
_DEFAULT: Final = {"https": "443", "http": "80"}
_HIGHEST: Final = 65535
_NUMERIC: Final = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.ASCII)
_OURS_ALONE: Final = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa", "invalid", "test")
"""Last labels of names that mean something else, or nothing, outside one network (RFC 6761, RFC 6762)."""


@dataclass(frozen=True)
class Address:
    """The parts of an address that was read. `rest` is path and query, as written."""

    scheme: str
    host: str
    port: int | None
    rest: str

    @property
    def loopback(self) -> bool:
        """Whether it means the machine of whoever opens it."""
        return self.host in {"localhost", "[::1]"} or (
            _is_ip(self.host) and ipaddress.ip_address(self.host).is_loopback
        )

    @property
    def literal_loopback(self) -> bool:
        """The same, written as an IP address (RFC 8252 §7.3)."""
        return self.loopback and self.host != "localhost"

    @property
    def public(self) -> bool:
        """Whether it can mean a host on the Internet. What a name resolves to is looked at when it is connected to."""
        if _is_ip(self.host):
            return ipaddress.ip_address(self.host).is_global
        labels = self.host.split(".")
        return self.host != "[::1]" and len(labels) > 1 and labels[-1] not in _OURS_ALONE


def read(written: str) -> Address | None:
    """The address, or None for what is no plain http(s) address.

    A host whose last label is a number is an IPv4 address to browsers (WHATWG URL §3.5), however it is written: only
    four decimal parts are let through.
    """
    found = _ADDRESS.fullmatch(written)
    if found is None or _ESCAPED.search(found["rest"]) or _DOTS.search(found["rest"]):
        return None
    scheme, host, port = found["scheme"], found["host"], found["port"]
    if port == _DEFAULT[scheme] or int(port or 1) > _HIGHEST:
        return None
    if _NUMERIC.fullmatch(host.rpartition(".")[2]) and not _is_ip(host):
        return None
    return Address(scheme, host, int(port) if port else None, found["rest"])


def _is_ip(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True
