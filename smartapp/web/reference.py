"""The id under which a request is known."""

from flask import g

from smartapp.ids import new_id


def request_id() -> str:
    """The reference of this request: in its answer's header, in error pages, in the audit trail. Never the client's."""
    if "request_id" not in g:
        g.request_id = new_id("req")
    found: str = g.request_id
    return found
