"""The endpoints that apps' programs call: token, introspection, revocation."""

from typing import cast

from flask import Blueprint, Response

from smartapp.authserver import errors, trace
from smartapp.authserver.server import SERVER
from smartapp.web import cors
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("oauth", __name__, url_prefix="/<provider>/oauth")
blueprint.before_request(cors.preflight("POST", who=cors.from_app))
blueprint.after_request(cors.for_origins_of(cors.from_app))
blueprint.after_request(trace.note)
errors.register(blueprint)

_METHODS = ["POST", "OPTIONS"]


@blueprint.route("/token", methods=_METHODS, provide_automatic_options=False)
@rule(Rule.CLIENT)
def token(provider: str) -> Response:
    """Tokens for a code, a refresh token, or a service's own name (RFC 6749 §3.2)."""
    del provider
    return cast("Response", SERVER.create_token_response())


@blueprint.route("/introspect", methods=_METHODS, provide_automatic_options=False)
@rule(Rule.CLIENT)
def introspect(provider: str) -> Response:
    """What a token is good for (RFC 7662 §2)."""
    del provider
    return cast("Response", SERVER.create_endpoint_response("introspection"))


@blueprint.route("/revoke", methods=_METHODS, provide_automatic_options=False)
@rule(Rule.CLIENT)
def revoke(provider: str) -> Response:
    """Ends a token and all that came of the same approval (RFC 7009 §2)."""
    del provider
    return cast("Response", SERVER.create_endpoint_response("revocation"))
