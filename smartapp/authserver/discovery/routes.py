"""The three documents, where each specification looks for them; any page may read them."""

from flask import Blueprint, Response, jsonify

from smartapp.authserver.discovery import document
from smartapp.web import cors
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("discovery", __name__)
blueprint.before_request(cors.public_preflight)
blueprint.after_request(cors.public)

_METHODS = ["GET", "OPTIONS"]


@blueprint.route("/<provider>/fhir/.well-known/smart-configuration", methods=_METHODS, provide_automatic_options=False)
@rule(Rule.PUBLIC)
def smart(provider: str) -> Response:
    """SMART App Launch 2.2: under the FHIR base."""
    return jsonify(document.smart(provider))


@blueprint.route(
    "/.well-known/oauth-authorization-server/<provider>", methods=_METHODS, provide_automatic_options=False
)
@blueprint.route(
    "/<provider>/.well-known/oauth-authorization-server", methods=_METHODS, provide_automatic_options=False
)
@rule(Rule.PUBLIC)
def oauth(provider: str) -> Response:
    """RFC 8414 §3 puts the issuer's path behind the well-known one; many programs append instead."""
    return jsonify(document.openid(provider))


@blueprint.route("/<provider>/.well-known/openid-configuration", methods=_METHODS, provide_automatic_options=False)
@rule(Rule.PUBLIC)
def openid(provider: str) -> Response:
    """OpenID Connect Discovery 1.0 §4: appended to the issuer."""
    return jsonify(document.openid(provider))
