"""The browser that asks, and the pages that it is shown."""

from typing import Any, Final, cast

from flask import Flask, Response, current_app, g, render_template, request

from smartapp.sandbox.sample_app.model import Config, Visitor, Visitors

_COOKIE: Final = "sample-app"
_KEY: Final = "sample-app"


def install(app: Flask, config: Config) -> None:
    """Gives every request its visitor, and keeps the cookie."""
    visitors = Visitors()
    app.extensions[_KEY] = config

    @app.before_request
    def known() -> None:
        g.cookie, g.visitor = visitors.of(request.cookies.get(_COOKIE))

    @app.after_request
    def remember(response: Response) -> Response:
        response.set_cookie(_COOKIE, g.cookie, httponly=True, samesite="Lax")
        response.headers["Cache-Control"] = "no-store"
        return response


def config() -> Config:
    """What the app was told."""
    return cast("Config", current_app.extensions[_KEY])


def visitor() -> Visitor:
    """Who asks."""
    return cast("Visitor", g.visitor)


def page(name: str, **shown: Any) -> str:
    """A page of ours."""
    return render_template(name, visitor=visitor(), **shown)


def refused(status: int, said: str) -> str:
    """A page that says what a server, or the app itself, did not like."""
    return page("refused.html", status=status, said=said)
