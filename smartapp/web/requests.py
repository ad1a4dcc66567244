"""What is checked of every request before anything else, and the id under which it is known."""

from urllib.parse import urlsplit

from flask import g, request

from smartapp.errors import BadInput
from smartapp.ids import new_id
from smartapp.web.parts import parts


def request_id() -> str:
    """The reference of this request: in its answer's header, in error pages, in the audit trail. Never the client's."""
    if "request_id" not in g:
        g.request_id = new_id("req")
    found: str = g.request_id
    return found


def require_our_address() -> None:
    """Raises BadInput unless Host and scheme are those of the configured base URL.

    Forwarding headers are read by gunicorn alone, from the proxies it was told to trust. An http request to an https
    address is refused, not redirected: what it carried was already readable on the way.
    """
    base = urlsplit(parts().settings.server.base_url)
    if request.headers.get("Host", "").lower() != base.netloc:
        raise BadInput("host.bad")
    if request.scheme != base.scheme:
        raise BadInput("scheme.bad")
