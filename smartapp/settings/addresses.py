"""Addresses in the configuration: https, or http on this machine in the sandbox."""

import ipaddress
from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, urlsplit

from smartapp.errors import ConfigurationError

_PORTS: Final = {"http": 80, "https": 443}


def check_url(url: str, where: str, *, sandbox: bool) -> str:
    """The origin of `url` (`scheme://host:port`). Raises ConfigurationError for what is no plain, safe address."""
    parts = _split(url, where)
    if parts.scheme != "https" and not (sandbox and parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise ConfigurationError(f"{where} must begin with https:// (http:// only for this machine, in the sandbox).")
    if parts.username is not None or parts.query or parts.fragment or "\\" in url or "?" in url or "#" in url:
        raise ConfigurationError(f"{where} must be a plain address: no user name, no ?, no #.")
    return f"{parts.scheme}://{parts.hostname}:{parts.port or _PORTS[parts.scheme]}"


def check_origin(url: str, where: str, *, sandbox: bool) -> str:
    """As `check_url`, for an address without path."""
    origin = check_url(url, where, sandbox=sandbox)
    if urlsplit(url).path:
        raise ConfigurationError(f"{where} must end after the host or port: no path, no / at the end.")
    return origin


def check_database_url(url: str, where: str, *, sandbox: bool) -> None:
    """A password does not belong into a file that is copied and shown."""
    if not sandbox and _split(url, where, host=False).password is not None:
        raise ConfigurationError(
            f"{where} holds a password: put it into a password file of PostgreSQL's (libpq §34.16), with mode 0600, "
            "and add ?passfile=/the/file to the url."
        )


def check_networks(networks: Iterable[str], where: str) -> None:
    """Raises ConfigurationError for what is neither an IP address nor a network, and for the network of all."""
    for network in networks:
        try:
            narrow = ipaddress.ip_network(network).prefixlen > 0
        except ValueError:
            narrow = False
        if not narrow:
            raise ConfigurationError(f"{where} {network} must be an address as 10.0.0.5 or a network as 10.0.0.0/24.")


def _split(url: str, where: str, *, host: bool = True) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.port != 0 and (bool(parts.hostname) or not host)
    except ValueError:
        usable = False
    if not usable or any(sign.isspace() for sign in url):
        raise ConfigurationError(f"{where} is no address.")
    return parts


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
