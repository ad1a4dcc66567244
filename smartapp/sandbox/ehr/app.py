"""The Flask application: every hospital's pages, OAuth and FHIR in one process."""

from flask import Flask, Response, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from smartapp.sandbox.ehr.config import EhrConfig
from smartapp.sandbox.ehr.fhir.bundle import to_response
from smartapp.sandbox.ehr.fhir.errors import FhirError
from smartapp.sandbox.ehr.fhir.routes import fhir
from smartapp.sandbox.ehr.oauth.authorize_routes import authorization
from smartapp.sandbox.ehr.oauth.discovery import discovery
from smartapp.sandbox.ehr.oauth.errors import PageError
from smartapp.sandbox.ehr.oauth.token_routes import tokens
from smartapp.sandbox.ehr.policy import POLICY
from smartapp.sandbox.ehr.portal import portal
from smartapp.sandbox.ehr.site import EXTENSION, build_sites
from smartapp.sandbox.world import World

LONGEST_BODY = 1024 * 1024


def create_app(config: EhrConfig, world: World) -> Flask:
    """The WSGI application for these hospitals; ConfigError if the world lacks one of them."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LONGEST_BODY
    app.extensions[EXTENSION] = build_sites(config, world)
    for blueprint in (discovery, authorization, tokens, portal, fhir):
        app.register_blueprint(blueprint)
    app.add_url_rule("/healthz", "healthz", lambda: jsonify({"status": "ok"}))
    app.register_error_handler(PageError, _page_refused)
    app.register_error_handler(HTTPException, _http_refused)
    app.register_error_handler(FhirError, lambda error: to_response(error.outcome(), error.status))
    app.after_request(_headers)
    return app


def _page_refused(error: PageError) -> tuple[str, int]:
    return render_template("error.html", text=error.text), error.status


def _http_refused(error: HTTPException) -> Response | tuple[str, int]:
    status = error.code or 500
    if request.path.split("/")[2:3] == ["fhir"]:
        return to_response(FhirError(status, "not-supported", error.name).outcome(), status)
    return render_template("error.html", text=error.name), status


def _headers(answer: Response) -> Response:
    answer.headers.setdefault("Content-Security-Policy", POLICY)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "no-referrer"
    if answer.mimetype == "text/html":
        answer.headers["Cache-Control"] = "no-store"
    return answer
