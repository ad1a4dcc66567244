"""`/developers`: sign in by a link in a mail, register apps, look after them, see why a request was refused."""

import json
from typing import Any, Final, cast

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from smartapp.errors import TooMany
from smartapp.exchange.developers.refusal import RegistrationRefused
from smartapp.exchange.developers.service import DeveloperSession, LinkRefused
from smartapp.identity.apps.model import App
from smartapp.portal.developers import forms, words
from smartapp.web import csrf, sessions
from smartapp.web.i18n import locale
from smartapp.web.limits import client_address
from smartapp.web.parts import parts
from smartapp.web.reference import request_id
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("developers", __name__, url_prefix="/developers")

_APP: Final = "/apps/<provider>/<client_id>"


@blueprint.get("/")
@rule(Rule.PUBLIC)
def home() -> Response | str:
    """What this is, and the form for a link."""
    if sessions.current_developer_or_none() is not None:
        return _to("developers.apps")
    return _door()


@blueprint.post("/link")
@rule(Rule.PUBLIC)
def ask() -> tuple[str, int]:
    """Sends a link. The answer is the same whatever becomes of the mail."""
    address = request.form.get("address", "").strip()
    base = f"{parts().settings.server.base_url}{url_for('developers.link', secret='')}"
    try:
        parts().developers.ask(address, locale(), link_base=base, request_id=request_id())
    except LinkRefused as refusal:
        return _door(problem=_("This is no mail address that we can write to."), typed=address), refusal.status
    return _door(asked=True), 200


@blueprint.get("/link/", defaults={"secret": ""})
@blueprint.get("/link/<secret>")
@rule(Rule.PUBLIC)
def link(secret: str) -> str:
    """Where the link leads: a button. Programs that look at links in mails do not press it."""
    return render_template("portal/developers/link.html", secret=secret)


@blueprint.post("/sign-in")
@rule(Rule.PUBLIC)
def sign_in() -> Response | tuple[str, int]:
    """The link's secret, once."""
    try:
        cookie = parts().developers.sign_in(
            request.form.get("secret", ""), sessions.raw_developer_cookie(), request_id=request_id()
        )
    except LinkRefused as refusal:
        return _door(problem=_("This link does not work: it is used, or too old. Ask for a new one.")), refusal.status
    response = _to("developers.apps")
    sessions.set_developer_cookie(response, cookie)
    return response


@blueprint.post("/sign-out")
@rule(Rule.DEVELOPER)
def sign_out() -> Response:
    """Ends the session."""
    parts().developers.sign_out(_me(), request_id=request_id())
    response = _to("developers.home")
    sessions.clear_developer_cookie(response)
    return response


@blueprint.get("/apps")
@rule(Rule.DEVELOPER)
def apps() -> str:
    """The developer's apps."""
    return _page("apps", apps=parts().developers.apps(_me()), names=_hospitals())


@blueprint.get("/new")
@rule(Rule.DEVELOPER)
def new() -> str:
    """The form for a new app."""
    written = dict.fromkeys(forms.FIELDS, "") | {"kind": "public", "contacts": _me().address}
    return _form(written, "")


@blueprint.post("/new")
@rule(Rule.DEVELOPER)
def register() -> tuple[str, int]:
    """Registers it; its credentials are on this page and never again."""
    written = forms.typed()
    try:
        made = parts().developers.register(
            _me(),
            written["provider"],
            forms.document(written),
            address=client_address(),
            request_id=request_id(),
        )
    except RegistrationRefused as refusal:
        return _form(written, "", refusal), refusal.status
    except TooMany as refusal:
        return _form(written, "", too_many=True), refusal.status
    return _credentials(made.app, made.client_secret, made.registration_token), 201


@blueprint.get(_APP)
@rule(Rule.DEVELOPER)
def app_page(provider: str, client_id: str) -> str:
    """One app: where it stands, and the form to change it."""
    return _form_of(_app(provider, client_id))


@blueprint.post(_APP)
@rule(Rule.DEVELOPER)
def change(provider: str, client_id: str) -> tuple[str, int]:
    """Changes what it says of itself."""
    app, written = _app(provider, client_id), forms.typed()
    try:
        changed = parts().developers.change(
            _me(), provider, client_id, forms.kept(app.metadata, written), request_id=request_id()
        )
    except RegistrationRefused as refusal:
        return _form(written | {"provider": provider}, client_id, refusal, app=app), refusal.status
    if changed.client_secret is not None:
        return _credentials(changed.app, changed.client_secret, None), 200
    return _form_of(changed.app, done=_("Saved.")), 200


@blueprint.post(f"{_APP}/secret")
@rule(Rule.DEVELOPER)
def new_secret(provider: str, client_id: str) -> str:
    """A new client secret, shown once; the one before opens nothing from now on."""
    secret = parts().developers.new_secret(_me(), provider, client_id, request_id=request_id())
    return _credentials(_app(provider, client_id), secret, None)


@blueprint.route(f"{_APP}/delete", methods=["GET", "POST"])
@rule(Rule.DEVELOPER)
def delete(provider: str, client_id: str) -> Response | str:
    """Asks first; then the app is gone, with everything that it held."""
    app = _app(provider, client_id)
    if request.method != "POST":
        return _page("delete", app=app)
    parts().developers.remove(_me(), provider, client_id, request_id=request_id())
    return _to("developers.apps")


@blueprint.get(f"{_APP}/requests")
@rule(Rule.DEVELOPER)
def trace(provider: str, client_id: str) -> str:
    """How its last requests fared, and why one was refused."""
    found = parts().developers.trace(_me(), provider, client_id)
    return _page("trace", app=_app(provider, client_id), traces=found, reason=words.reason)


def _me() -> DeveloperSession:
    return sessions.current_developer()


def _app(provider: str, client_id: str) -> App:
    return parts().developers.app(_me(), provider, client_id)


def _hospitals() -> dict[str, str]:
    return {provider.id: provider.name for provider in parts().settings.providers}


def _door(**shown: Any) -> str:
    return render_template("portal/developers/home.html", available=parts().developers.available, **shown)


def _form_of(app: App, **shown: Any) -> str:
    keys = json.dumps(app.metadata.jwks, indent=1) if app.metadata.jwks else ""
    return _form(forms.filled(app.provider, app.metadata, keys), app.client_id, app=app, **shown)


def _form(
    written: dict[str, str],
    client_id: str,
    refusal: RegistrationRefused | None = None,
    *,
    too_many: bool = False,
    **shown: Any,
) -> str:
    problem = words.problem(refusal.problem) if refusal else words.problem("too-many") if too_many else ""
    return _page(
        "form",
        written=written,
        client_id=client_id,
        hospitals=_hospitals(),
        field=refusal.field if refusal else "",
        problem=problem,
        **shown,
    )


def _credentials(app: App, secret: str | None, registration_token: str | None) -> str:
    return _page("credentials", app=app, secret=secret, registration_token=registration_token)


def _page(name: str, **shown: Any) -> str:
    me = _me()
    base = parts().settings.server.base_url
    return render_template(
        f"portal/developers/{name}.html", me=me, form_token=csrf.developer_token(me), base_url=base, **shown
    )


def _to(endpoint: str) -> Response:
    """RFC 9110 §15.4.4."""
    return cast("Response", redirect(url_for(endpoint), 303))
