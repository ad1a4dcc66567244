"""Who allowed the app (OpenID Connect Core §5.3), and the keys that say that it was us."""

from flask import Blueprint, Response, jsonify, request

from smartapp.authserver.id_token.claims import about
from smartapp.errors import NotSignedIn, ScopeMissing
from smartapp.web import cors
from smartapp.web.bearer import app_principal
from smartapp.web.parts import parts
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("userinfo", __name__, url_prefix="/<provider>/oauth")
blueprint.before_request(cors.preflight("GET", "POST", who=cors.from_app))
blueprint.after_request(cors.for_origins_of(cors.from_app))


@blueprint.route("/userinfo", methods=["GET", "POST", "OPTIONS"], provide_automatic_options=False)
@rule(Rule.BEARER)
def userinfo(provider: str) -> Response:
    """`sub` and `fhirUser`, for a token with the scope `openid`."""
    if "openid" not in app_principal(provider).scopes.words:
        raise ScopeMissing("openid")
    state = parts().app_tokens.introspect(provider, request.headers["Authorization"].removeprefix("Bearer "))
    if state is None or state.grant is None:
        raise NotSignedIn("token")
    return jsonify(about(provider, state.grant, state.scope))
