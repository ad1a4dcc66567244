"""An error below `/{provider}/oauth` as programs read it there (RFC 6749 §5.2), wherever it arose.

Errors that are the protocol's own are made in `authserver`; these are everybody's: no such route, another method,
too many requests, a fault of ours. The texts are fixed.
"""

import json
from typing import Final

from flask import Response, make_response

from smartapp.web.errors.problem import Problem

_SERVER_ERROR: Final = 500
_TOO_MANY: Final = 429
_WAIT: Final = {_TOO_MANY: 60, 503: 1}
"""Seconds to wait, when the error does not say."""

_WORDS: Final = {
    401: ("invalid_token", "The token is missing, unknown, expired or revoked."),
    404: ("invalid_request", "There is nothing at this address."),
    405: ("invalid_request", "The method is not allowed here: Allow names those that are."),
    _TOO_MANY: ("slow_down", "Too many requests or failed attempts: come again after the time that Retry-After names."),
    503: ("temporarily_unavailable", "This server cannot answer now: try again later."),
}
_OTHER: Final = ("invalid_request", "The request is missing a parameter, says one twice, or is malformed.")


def render(problem: Problem) -> Response:
    """JSON. Whatever is wrong on our side is 503: a program can do nothing but come again."""
    status = 503 if problem.status >= _SERVER_ERROR else problem.status
    error, description = _WORDS.get(status, _OTHER)
    response = make_response(json.dumps({"error": error, "error_description": description}), status)
    response.content_type = "application/json"
    if status in _WAIT:
        response.headers["Retry-After"] = str(problem.retry_after or _WAIT[status])
    return response
