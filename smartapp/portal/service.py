"""Routes for machines: is this worker alive, and which public keys are ours."""

from flask import Blueprint, Response, jsonify

from smartapp.launch.jwks import public_jwks
from smartapp.web.parts import parts
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("service", __name__)


@blueprint.get("/healthz")
@rule(Rule.PUBLIC)
def healthz() -> Response:
    """That this worker answers. It asks nothing of EHR, PACS or database: their trouble must not restart workers."""
    return jsonify(status="ok")


@blueprint.get("/.well-known/jwks.json")
@rule(Rule.PUBLIC)
def jwks() -> Response:
    """Our public keys (RFC 7517 §5), by which an EHR checks our client assertions (SMART App Launch 2.2, §3.2)."""
    return jsonify(public_jwks(parts().settings))
