"""Which IP addresses are on the public internet (IANA special-purpose registries, RFC 6890). Pure."""

import socket
import unicodedata
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import unquote, urlsplit

_NAT64: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
"""RFC 6052, RFC 8215: a gateway there leads to the IPv4 address in the last 32 bits."""
_SITE_LOCAL: Final = IPv6Network("fec0::/10")
_INSIDE: Final = frozenset({"localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa"})
"""Last labels of names that mean something in one network only (RFC 6761, RFC 6762, RFC 8375)."""
_LONGEST_URL: Final = 2048


def is_public(written: str) -> bool:
    """Whether everybody could reach `written` (an address as a resolver gives it). False for what is no address.

    An IPv6 address that stands for an IPv4 one is as public as that; those that name a tunnel are not public.
    """
    address = _parsed(written)
    if address is None:
        return False
    if isinstance(address, IPv6Address):
        inner = _inner(address)
        if inner is not None:
            return _is_global(inner)
        if address.teredo is not None or address.sixtofour is not None or address in _SITE_LOCAL:
            return False
    return _is_global(address)


def is_loopback(written: str) -> bool:
    """Whether `written` is this machine."""
    address = _parsed(written)
    return address is not None and address.is_loopback


def spells_inside(url: str) -> bool:
    """Whether somebody who sends `url` wants us to ask ourselves or our neighbours: loopback, private, link-local and
    metadata addresses in any spelling that some reader of addresses takes (WHATWG URL §3.5), names of one network only,
    other schemes than http(s), and what is meant to be read differently by two. Nothing is looked up.
    """
    if len(url) > _LONGEST_URL or not url.isprintable():
        return True
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return True
    if parts.scheme not in {"", "http", "https"}:
        return True
    host = unicodedata.normalize("NFKC", unquote(host)).replace("\u3002", ".").strip("[]").rstrip(".")
    if _parsed(host) is not None:
        return not is_public(host)
    return _is_legacy_inside(host) or host.rpartition(".")[2] in _INSIDE


def _is_legacy_inside(host: str) -> bool:
    """IPv4 as inet_aton reads it: fewer parts, octal, hexadecimal (`0x7f.1`)."""
    try:
        return not is_public(socket.inet_ntoa(socket.inet_aton(host)))
    except (OSError, UnicodeError, ValueError):
        return False


def _parsed(written: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(written.partition("%")[0])
    except ValueError:
        return None


def _inner(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if any(address in network for network in _NAT64) or int(address) >> 32 == 0:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
