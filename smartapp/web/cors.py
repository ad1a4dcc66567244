"""Which other origins' scripts may read our answers (Fetch §3.2): where the address alone says who may ask.

Discovery is for everybody's; OHIF's page and the pages of registered apps read what a token opens, at the one provider
where the app is registered; nobody's script reads anything else. No cookie is ever asked for or counted there. Browsers
ask once for each address before they send a token to it: ten minutes of leave make that one short request per address.
"""

from collections.abc import Callable
from typing import Final

from flask import Response, request
from werkzeug.exceptions import MethodNotAllowed

from smartapp.web.parts import parts

Who = Callable[[], bool]
"""Whether the page that the browser names in Origin may read the answer to the current request."""

_ASKED: Final = "Authorization, Accept, Content-Type"
_ASKED_BY_APPS: Final = f"{_ASKED}, If-None-Match, If-Modified-Since, Prefer"
_TOLD: Final = "ETag, Last-Modified, Location, Content-Location, Retry-After, WWW-Authenticate, Warning, X-Request-Id"
"""What an app's script may read beside the plain headers. OHIF's needs none of it."""
_SECONDS: Final = "600"
_LONGEST_ORIGIN: Final = 300


def from_ohif() -> bool:
    """Whether the browser says that OHIF's page sent this request."""
    ohif = parts().settings.ohif
    return ohif is not None and request.headers.get("Origin") == ohif.base_url


def from_app() -> bool:
    """Whether it says that a page of an app did which is registered at the provider of this address."""
    origin = request.headers.get("Origin", "")
    provider = (request.view_args or {}).get("provider")
    if not provider or not origin.startswith(("https://", "http://")) or len(origin) > _LONGEST_ORIGIN:
        return False
    return parts().apps.origin_known(provider, origin)


def from_viewer() -> bool:
    """OHIF's page, or an app's: where images are read with a token."""
    return from_ohif() or from_app()


def preflight(*methods: str, who: Who = from_ohif) -> Callable[[], Response | None]:
    """For `before_request`: answers the browser's question whether the page of `who` may use `methods` with a token.

    Anybody else's OPTIONS is 405. The routes must list OPTIONS: a blueprint hears of its own routes only.
    """

    def answer() -> Response | None:
        if request.method != "OPTIONS":
            return None
        if "Access-Control-Request-Method" not in request.headers or not who():
            raise MethodNotAllowed(valid_methods=methods)
        return _leave(methods)

    return answer


def _leave(methods: tuple[str, ...]) -> Response:
    response = Response(status=204)
    response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
    response.headers["Access-Control-Allow-Headers"] = _ASKED if from_ohif() else _ASKED_BY_APPS
    response.headers["Access-Control-Max-Age"] = _SECONDS
    return response


def for_origins_of(who: Who) -> Callable[[Response], Response]:
    """For `after_request`: lets the page of `who` read the answer, errors included. It names no other origin."""

    def answer(response: Response) -> Response:
        response.headers.add("Vary", "Origin")
        if who():
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            if not from_ohif():
                response.headers["Access-Control-Expose-Headers"] = _TOLD
        return response

    return answer


add: Final = for_origins_of(from_ohif)
"""For `after_request` of what only OHIF's page reads."""


def public_preflight() -> Response | None:
    """For `before_request` of what everybody may read: leave for every page, without a token and without cookies."""
    if request.method != "OPTIONS":
        return None
    if "Access-Control-Request-Method" not in request.headers:
        raise MethodNotAllowed(valid_methods=("GET", "HEAD"))
    return public(_leave(("GET", "HEAD")))


def public(response: Response) -> Response:
    """For `after_request` of what everybody may read (SMART App Launch 2.2, CORS): any origin, never credentials."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = _TOLD
    return response
