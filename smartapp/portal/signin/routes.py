"""Start page, launch, callback, sign-out."""

from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from smartapp.errors import BadInput, LaunchRefused
from smartapp.exchange.sign_in import Browser
from smartapp.web import sessions
from smartapp.web.headers import CONTENT_SECURITY_POLICY
from smartapp.web.parts import parts
from smartapp.web.requests import request_id
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("signin", __name__)

_LONGEST = 2048


@blueprint.get("/")
@rule(Rule.PUBLIC)
def home() -> Response:
    """Choose the hospital.

    The form's answer is a redirect to that hospital, which `form-action` has to allow: browsers hold redirects to it
    too. It costs nothing: those origins are where the browser is sent anyway.
    """
    providers = parts().settings.providers
    origins = sorted({origin for provider in providers for origin in _origins(provider.trusted_origins, provider.iss)})
    response = Response(render_template("portal/start.html", providers=providers), mimetype="text/html")
    policy = CONTENT_SECURITY_POLICY.replace("form-action 'self'", " ".join(("form-action 'self'", *origins)))
    response.headers["Content-Security-Policy"] = policy
    return response


def _origins(trusted: tuple[str, ...], iss: str) -> tuple[str, ...]:
    issuer = urlsplit(iss)
    return (*trusted, f"{issuer.scheme}://{issuer.netloc}")


@blueprint.post("/start")
@rule(Rule.PUBLIC)
def start() -> Response:
    """Off to the chosen hospital's sign-in (SMART App Launch 2.2, standalone launch)."""
    provider_id = request.form.get("provider", "")
    if provider_id not in {provider.id for provider in parts().settings.providers}:
        raise BadInput("provider.unknown")
    begun = parts().sign_in.start_standalone(provider_id, sessions.raw_flow_cookie())
    return _off(begun.authorize_url, begun.browser_secret)


@blueprint.get("/launch")
@rule(Rule.PUBLIC)
def launch() -> Response:
    """A launch that the EHR began (SMART App Launch 2.2, EHR launch): `iss` and `launch`, once each."""
    begun = parts().sign_in.start_ehr_launch(_one("iss"), _one("launch"), sessions.raw_flow_cookie())
    return _off(begun.authorize_url, begun.browser_secret)


@blueprint.get("/callback")
@rule(Rule.PUBLIC)
def callback() -> Response:
    """Back from the hospital, signed in or refused (RFC 6749 §4.1.2)."""
    browser = Browser(
        flow_secret=sessions.raw_flow_cookie(),
        old_cookie=sessions.raw_cookie(),
        user_agent=request.headers.get("User-Agent", "")[:_LONGEST],
    )
    opened = parts().sign_in.finish(request.args.to_dict(flat=False), browser, request_id=request_id())
    response = redirect(url_for("patient.studies", ctx=opened.context_id), 303)
    sessions.set_session_cookie(response, opened.cookie)
    return response


@blueprint.post("/sign-out")
@rule(Rule.SESSION)
def sign_out() -> Response:
    """Ends this browser's session."""
    parts().sign_in.sign_out(sessions.current(), request_id=request_id())
    return _gone()


@blueprint.post("/sign-out-everywhere")
@rule(Rule.SESSION)
def sign_out_everywhere() -> Response:
    """Ends all sessions of this person at this hospital."""
    parts().sign_in.sign_out_everywhere(sessions.current(), request_id=request_id())
    return _gone()


@blueprint.get("/signed-out")
@rule(Rule.PUBLIC)
def signed_out() -> str:
    """Says that it worked."""
    return render_template("portal/signed_out.html")


def _gone() -> Response:
    response = redirect(url_for("signin.signed_out"), 303)
    sessions.clear_session_cookie(response)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _off(authorize_url: str, browser_secret: str) -> Response:
    response = redirect(authorize_url, 303)
    sessions.set_flow_cookie(response, browser_secret)
    return response


def _one(name: str) -> str:
    """The one value of a query parameter. Raises LaunchRefused when there is none, more than one, or a giant."""
    values = request.args.getlist(name)
    if len(values) != 1 or not values[0] or len(values[0]) > _LONGEST:
        raise LaunchRefused("smart.launch.parameters")
    return values[0]
