"""Who allowed the app (OpenID Connect Core §5.3)."""

from typing import Final

from flask import Blueprint, Response, jsonify, request

from smartapp.authserver.id_token.claims import about
from smartapp.errors import NotSignedIn, ScopeMissing, SmartappError
from smartapp.web import cors
from smartapp.web.bearer import app_principal
from smartapp.web.parts import parts
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("userinfo", __name__, url_prefix="/<provider>/oauth")
blueprint.before_request(cors.preflight("GET", "POST", who=cors.from_app))
blueprint.after_request(cors.for_origins_of(cors.from_app))
_REFUSED: Final = {401: "invalid_token", 403: "insufficient_scope"}


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


@blueprint.errorhandler(SmartappError)
def refused(error: SmartappError) -> Response:
    """RFC 6750 §3.1: the code in the header, for a program; `temporarily_unavailable` where it is us."""
    code = _REFUSED.get(error.status, "temporarily_unavailable" if error.status >= 500 else "invalid_request")
    response = jsonify(error=code)
    response.status_code = 503 if error.status >= 500 else error.status
    if error.status in _REFUSED:
        response.headers["WWW-Authenticate"] = f'Bearer error="{code}"'
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response
