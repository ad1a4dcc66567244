"""Which IP addresses are on the public internet (IANA special-purpose registries, RFC 6890). Pure."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

_NAT64: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
"""RFC 6052, RFC 8215: a gateway there leads to the IPv4 address in the last 32 bits."""
_SITE_LOCAL: Final = IPv6Network("fec0::/10")


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
