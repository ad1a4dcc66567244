"""The document's address."""

from flask import Blueprint, Response, jsonify

from smartapp.portal.openapi.document import document
from smartapp.web import cors
from smartapp.web.parts import parts
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("openapi", __name__)
blueprint.after_request(cors.public)


@blueprint.get("/openapi.json")
@rule(Rule.PUBLIC)
def describe() -> Response:
    """What programs may call here."""
    settings = parts().settings
    return jsonify(document(settings.server.base_url, tuple(each.id for each in settings.providers)))
