"""Which hosts a request may go to."""

from collections.abc import Iterable

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from smartapp.errors import UpstreamMalformed

_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str:
    """`scheme://host:port` of an http(s) URL, read by the parser that will also connect (so that both mean the same).

    Raises UpstreamMalformed("off-origin") for other schemes, for user names in the URL, and for what is no URL.
    """
    try:
        parts = parse_url(url)
    except LocationParseError:
        raise UpstreamMalformed("off-origin") from None
    if parts.scheme not in _PORTS or not parts.host or parts.auth:
        raise UpstreamMalformed("off-origin")
    return f"{parts.scheme}://{parts.host.lower()}:{parts.port or _PORTS[parts.scheme]}"


def allowed(origins: Iterable[str]) -> frozenset[str]:
    """The configured origins, in the form that `origin_of` gives."""
    return frozenset(origin_of(origin) for origin in origins)
