"""The public keys of our id_tokens (RFC 7517 §5): those in use, those to come, and those that were."""

from flask import Blueprint, Response, jsonify

from smartapp.authserver import addresses
from smartapp.web import cors
from smartapp.web.parts import parts
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("jwks", __name__, url_prefix="/<provider>/oauth")
blueprint.after_request(cors.public)


@blueprint.get("/jwks")
@rule(Rule.PUBLIC)
def jwks(provider: str) -> Response:
    """The same keys at every hospital. NotFound for an unknown one."""
    addresses.issuer(provider)
    return jsonify(parts().signing.public())
