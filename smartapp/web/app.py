"""Builds the Flask application around the services it is given."""

from collections.abc import Iterable
from functools import partial

from flask import Blueprint, Flask, Response

from smartapp.audit.model import Event
from smartapp.errors import SmartappError
from smartapp.web import errors, headers, i18n, limits, requests, rules, sessions
from smartapp.web.csrf import csrf_token
from smartapp.web.parts import Parts, install
from smartapp.web.patience import Patience


class _App(Flask):
    """Flask, that tells of what fails while an answer is being finished as of what fails before."""

    def process_response(self, response: Response) -> Response:
        """As Flask's. Where what is to be counted or looked up for the answer cannot be, its place is taken by the
        error's: otherwise a busy database would look like a fault of ours (500), and not like what passes (503).
        """
        try:
            return super().process_response(response)
        except SmartappError as error:
            response.close()
            return headers.add(self.make_response(self.handle_user_exception(error)))


def build_app(parts: Parts, blueprints: Iterable[Blueprint]) -> Flask:
    """The application with all blueprints, every route under an access rule.

    Raises RouteWithoutRuleError for a route that has none. Form bodies are held to 64 KiB: nobody sends us files.
    """
    app = _App("smartapp.web")
    app.config.update(MAX_CONTENT_LENGTH=64 * 1024, MAX_FORM_PARTS=100, MAX_FORM_MEMORY_SIZE=64 * 1024)
    install(app, parts)
    i18n.register(app)
    errors.register(app)
    app.before_request(requests.require_our_address)
    app.before_request(rules.enforce)
    app.after_request(limits.count)
    app.after_request(headers.add)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    app.jinja_env.globals.update(csrf_token=csrf_token, locale=i18n.locale, session_or_none=sessions.current_or_none)
    rules.require_rules(app)
    app.wsgi_app = Patience(app.wsgi_app, when_slow=partial(_slow, parts))  # type: ignore[method-assign]  # the place Flask documents for middleware
    return app


def _slow(parts: Parts) -> None:
    """Written beside the request: its thread has waited long enough (threat F22)."""
    parts.audit.note(Event("conn.slow"), later=True)
