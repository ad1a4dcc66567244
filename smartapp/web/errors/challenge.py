"""WWW-Authenticate, where tokens are taken (RFC 6750 §3)."""

from flask import Response

from smartapp.web.errors.problem import Problem


def add(response: Response, problem: Problem) -> Response:
    """Says that the token is none (any more), or lacks the kind of right that was needed (RFC 6750 §3.1)."""
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    elif problem.scope:
        response.headers["WWW-Authenticate"] = 'Bearer error="insufficient_scope"'
    return response
