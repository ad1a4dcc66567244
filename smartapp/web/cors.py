"""Which other origin's scripts may read our answers: OHIF's, exactly, and only on routes that take tokens (Fetch §3.2).

No cookie is ever asked for or counted there. Browsers ask once for each address before they send a token to it: ten
minutes of leave make that one short request per address.
"""

from collections.abc import Callable
from typing import Final

from flask import Response, request
from werkzeug.exceptions import MethodNotAllowed

from smartapp.web.parts import parts

_HEADERS: Final = "Authorization, Accept, Content-Type"
_SECONDS: Final = "600"


def from_ohif() -> bool:
    """Whether the browser says that OHIF's page sent this request."""
    ohif = parts().settings.ohif
    return ohif is not None and request.headers.get("Origin") == ohif.base_url


def preflight(*methods: str) -> Callable[[], Response | None]:
    """For `before_request`: answers the browser's question whether OHIF's page may use `methods` with a token.

    Anybody else's OPTIONS is 405. The routes must list OPTIONS: a blueprint hears of its own routes only.
    """

    def answer() -> Response | None:
        if request.method != "OPTIONS":
            return None
        if not from_ohif() or "Access-Control-Request-Method" not in request.headers:
            raise MethodNotAllowed(valid_methods=methods)
        response = Response(status=204)
        response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
        response.headers["Access-Control-Allow-Headers"] = _HEADERS
        response.headers["Access-Control-Max-Age"] = _SECONDS
        return response

    return answer


def add(response: Response) -> Response:
    """For `after_request`: lets OHIF's page read the answer, errors included. No header beyond the plain ones."""
    response.headers.add("Vary", "Origin")
    if from_ohif():
        response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
    return response
