"""Every route says who may call it. A route that says nothing is not served: the application refuses to be built."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from flask import Flask, current_app, request

from smartapp.errors import NotFound, SmartappError
from smartapp.web import csrf, sessions

_View = TypeVar("_View", bound=Callable[..., Any])
_ATTRIBUTE = "access_rule"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Rule(StrEnum):
    """Who may call a route."""

    PUBLIC = "public"
    """Anybody. Nothing personal is shown and nothing but a pending sign-in is changed."""
    SESSION = "session"
    """Somebody who is signed in, by cookie; unsafe methods need the CSRF token."""
    BEARER = "bearer"
    """The holder of a token in the Authorization header; the view asks `tokens`. Cookies are ignored."""
    DEVELOPER = "developer"
    """An app's developer who is signed in, by a cookie of their own; unsafe methods need the CSRF token."""
    CLIENT = "client"
    """Anybody's program, from any site (RFC 6749 §3): the view checks who it is. Cookies are ignored."""


class RouteWithoutRuleError(SmartappError):
    """A route was registered without an access rule."""


def rule(which: Rule) -> Callable[[_View], _View]:
    """Marks a view function with the rule that is enforced before it runs."""

    def mark(view: _View) -> _View:
        setattr(view, _ATTRIBUTE, which)
        return view

    return mark


def rule_of(app: Flask, endpoint: str) -> Rule | None:
    """The rule of an endpoint. Flask's own static files are public."""
    if endpoint == "static" or endpoint.endswith(".static"):
        return Rule.PUBLIC
    found = getattr(app.view_functions[endpoint], _ATTRIBUTE, None)
    return found if isinstance(found, Rule) else None


def require_rules(app: Flask) -> None:
    """Raises RouteWithoutRuleError for the first route that has no rule."""
    for entry in app.url_map.iter_rules():
        if rule_of(app, entry.endpoint) is None:
            raise RouteWithoutRuleError(f"route-without-rule:{entry.rule}")


def enforce() -> None:
    """Before each request: raises NotSignedIn, or BadInput for a forged form, before the view runs."""
    if request.endpoint is None:
        return
    found = rule_of(current_app, request.endpoint)
    if found is None:
        raise NotFound
    if found is Rule.SESSION:
        session = sessions.current()
        if request.method not in _SAFE:
            csrf.require_token(session)
    if found is Rule.DEVELOPER:
        developer = sessions.current_developer()
        if request.method not in _SAFE:
            csrf.require_developer_token(developer)
    if found is Rule.PUBLIC and request.method not in _SAFE:
        csrf.require_same_origin()
