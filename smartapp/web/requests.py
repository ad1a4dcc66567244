"""What is checked of every request before anything else."""

from urllib.parse import urlsplit

from flask import current_app, request

from smartapp.errors import BadInput
from smartapp.web.noting import note
from smartapp.web.parts import parts
from smartapp.web.rules import Rule, rule_of


def require_our_address() -> None:
    """Raises BadInput unless Host and scheme are those of the configured base URL.

    Forwarding headers are read by gunicorn alone, from the proxies it was told to trust. An http request to an https
    address is refused, not redirected: what it carried was already readable on the way.
    """
    base = urlsplit(parts().settings.server.base_url)
    host = request.headers.get("Host", "").lower()
    if host != base.netloc and not (host == base.hostname and _takes_tokens_only()):
        note("host.bad")
        raise BadInput("host.bad")
    if request.scheme != base.scheme:
        raise BadInput("scheme.bad")


def _takes_tokens_only() -> bool:
    """There a Host without its port is let in: dicomweb-client sends it so, and no cookie of a browser counts."""
    return request.endpoint is not None and rule_of(current_app, request.endpoint) is Rule.BEARER
