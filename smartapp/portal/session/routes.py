"""What a page asks about its own session, and the one press that keeps it."""

from flask import Blueprint, Response, jsonify, render_template

from smartapp.portal.session.left import left_of, session_left
from smartapp.web import sessions
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("session", __name__, url_prefix="/session")
blueprint.add_app_template_global(session_left)


@blueprint.post("/stay")
@rule(Rule.SESSION)
def stay() -> Response:
    """Somebody pressed a button: that is activity, and moves the idle limit. The absolute one stays."""
    return _left()


@blueprint.get("/left")
@rule(Rule.SESSION)
@sessions.passive
def left() -> Response:
    """What is left, asked by a page before it warns: another tab may have been used. It moves nothing."""
    return _left()


@blueprint.get("/over")
@rule(Rule.PUBLIC)
@sessions.passive
def over() -> str:
    """Where a page that nobody used goes. It says whether the session is over: another tab may have kept it."""
    session = sessions.current_or_none()
    return render_template("portal/session_over.html", context=session.contexts[0] if session else None)


def _left() -> Response:
    found = left_of(sessions.current())
    return jsonify(seconds=found.seconds, final=found.final)
