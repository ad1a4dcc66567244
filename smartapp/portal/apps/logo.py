"""The picture of an app, given out by us: no page of ours lets a browser fetch it from the app's maker."""

from flask import Blueprint, Response, url_for

from smartapp.errors import NotFound
from smartapp.identity.apps.model import App
from smartapp.web.parts import parts
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("logo", __name__)


@blueprint.app_template_global("app_logo")
def app_logo(app: App) -> str:
    """Where its picture is; empty where it has none."""
    if parts().logos.find(app) is None:
        return ""
    return url_for("logo.picture", provider=app.provider, client_id=app.client_id)


@blueprint.get("/<provider>/apps/<client_id>/picture")
@rule(Rule.PUBLIC)
def picture(provider: str, client_id: str) -> Response:
    """PNG. NotFound where the app has none, or is none that patients may meet."""
    app = parts().apps.find(provider, client_id)
    png = parts().logos.find(app) if app else None
    if png is None:
        raise NotFound
    return Response(png, mimetype="image/png")
