"""The end-session endpoint. A page asks first: an app's address in a mail must not sign anybody out."""

from typing import cast

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from smartapp.authserver.logout.asking import PARAMETERS, Asking, read
from smartapp.identity.apps.model import origin
from smartapp.web import headers, sessions
from smartapp.web.parts import parts
from smartapp.web.reference import request_id
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("logout", __name__, url_prefix="/<provider>/oauth", template_folder="../templates")


@blueprint.get("/logout")
@rule(Rule.PUBLIC)
def ask(provider: str) -> Response:
    """Asks whoever is signed in; whoever is not goes on at once (RP-Initiated Logout 1.0 §2, §3)."""
    asked = read(provider, request.args.to_dict(flat=False))
    if sessions.current_or_none() is None:
        return _away(asked)
    if asked.target is not None:
        headers.allow_forms_to([origin(asked.target)])
    name = asked.app.metadata.client_name if asked.app else ""
    return make_response(render_template("authserver/logout.html", provider=provider, app_name=name, given=asked.given))


@blueprint.post("/logout")
@rule(Rule.CLIENT)
def ask_by_form(provider: str) -> Response:
    """The same asked by a form of the app's. Cookies do not come along from there: the browser is sent to ask anew."""
    asked = read(provider, request.form.to_dict(flat=False))
    address: str = url_for("logout.ask", **{"provider": provider, **asked.given})  # type: ignore[arg-type]  # our names
    return cast("Response", redirect(address, 303))


@blueprint.post("/logout/confirm")
@rule(Rule.SESSION)
def confirm(provider: str) -> Response:
    """The person said yes. It ends this browser's session and what lives in it: apps that were allowed only for as long
    as that (`online_access`). Those that may go on without it do.
    """
    form = request.form.to_dict(flat=False)
    asked = read(provider, {name: form[name] for name in PARAMETERS if name in form})
    parts().sign_in.sign_out(sessions.current(), request_id=request_id())
    response = _away(asked)
    sessions.clear_session_cookie(response)
    return response


def _away(asked: Asking) -> Response:
    target = asked.target or url_for("signin.signed_out")
    return cast("Response", redirect(target, 303))
