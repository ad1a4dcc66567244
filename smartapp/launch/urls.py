"""Addresses, read strictly: what two parsers could read differently is no address."""

import re
from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit

_PLAIN = re.compile(r"[!#-;=?-\[\]_a-z~]+")
_PORTS = {"https": 443, "http": 80}


def origin(url: str) -> str | None:
    """The origin of an absolute http(s) URL (RFC 6454 §4, default ports left out), or None if it is not plainly one.

    User information, backslashes, fragments, control characters and anything outside ASCII make it none.
    """
    if len(url) > 2048 or not _PLAIN.fullmatch(url) or "#" in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None and port != _PORTS[parts.scheme] else "")


def resolved(base: str, reference: str) -> str | None:
    """The URL that `reference` means under `base` (RFC 1808 §4): itself when it is absolute. None for an empty one, or
    one that is not plainly a URL.

    To the letter of the RFC: a base without a slash at its end loses its last segment.
    """
    if origin(reference) is not None:
        return reference
    if not _PLAIN.fullmatch(reference):
        return None
    try:
        return urljoin(base, reference)
    except ValueError:
        return None


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine, said as `localhost` or as an address of it."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Trust:
    """The origins that one provider's configuration trusts; https, but for loopback where `sandbox` is true."""

    def __init__(self, origins: tuple[str, ...], *, sandbox: bool) -> None:
        self._origins = frozenset(found for found in map(origin, origins) if found)
        self._sandbox = sandbox

    def allows(self, url: str) -> bool:
        """Whether `url` is an absolute URL on a trusted origin, reached safely."""
        found = origin(url)
        if found is None or found not in self._origins:
            return False
        return found.startswith("https://") or (self._sandbox and is_loopback(url))
