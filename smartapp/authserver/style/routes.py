"""The style document: the values that our own pages have in the light scheme; a test holds it to the style sheet."""

from typing import Final

from flask import Blueprint, Response, jsonify

from smartapp.web import cors
from smartapp.web.rules import Rule, rule

STYLE: Final = {
    "color_background": "#f6f7f8",
    "color_error": "#9b1c1c",
    "color_highlight": "#0b5c7d",
    "color_modal_backdrop": "#17212b",
    "color_success": "#1b6340",
    "color_text": "#17212b",
    "dim_border_radius": "10px",
    "dim_font_size": "17px",
    "dim_spacing_size": "16px",
    "font_family_body": "system-ui, sans-serif",
    "font_family_heading": "system-ui, sans-serif",
}

blueprint = Blueprint("style", __name__)
blueprint.after_request(cors.public)


@blueprint.get("/smart-style.json")
@rule(Rule.PUBLIC)
def document() -> Response:
    """The same for every app and person: `smart_style_url` names nothing of either."""
    return jsonify(STYLE)
