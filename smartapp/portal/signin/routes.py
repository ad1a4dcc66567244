"""Start page, launch, callback, sign-out."""

from typing import cast

from flask import Blueprint, Response, redirect, render_template, request, url_for

from smartapp.errors import BadInput, LaunchRefused, NotFound
from smartapp.exchange.sign_in import Browser
from smartapp.identity.model import OpenedSession
from smartapp.portal.signin.frame import page_for_frame
from smartapp.web import headers, sessions
from smartapp.web.parts import parts
from smartapp.web.reference import request_id
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("signin", __name__)

_LONGEST = 2048


@blueprint.get("/")
@rule(Rule.PUBLIC)
def home() -> str:
    """Choose the hospital. The form's answer is a redirect to where that hospital signs people in."""
    providers = parts().settings.providers
    headers.allow_forms_to(sorted({origin for provider in providers for origin in provider.trusted_origins}))
    return render_template("portal/start.html", providers=providers)


@blueprint.post("/start")
@rule(Rule.PUBLIC)
def start() -> Response:
    """Off to the chosen hospital's sign-in (SMART App Launch 2.2, standalone launch)."""
    provider_id = request.form.get("provider", "")
    if provider_id not in {provider.id for provider in parts().settings.providers}:
        raise BadInput("provider.unknown")
    begun = parts().sign_in.start_standalone(provider_id, sessions.raw_flow_cookie(), request_id=request_id())
    return _off(begun.authorize_url, begun.browser_secret)


@blueprint.get("/launch")
@rule(Rule.PUBLIC)
def launch() -> Response:
    """A launch that the EHR began (SMART App Launch 2.2, EHR launch): `iss` and `launch`, once each."""
    iss, launch = _one("iss"), _one("launch")
    if page := page_for_frame(iss, launch):
        return page
    begun = parts().sign_in.start_ehr_launch(iss, launch, sessions.raw_flow_cookie(), request_id=request_id())
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
    response = _see_other(_next_page(opened))
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


def _next_page(opened: OpenedSession) -> str:
    """The request of an app that waited for this sign-in, if it still waits; else the list."""
    if opened.after:
        try:
            provider = parts().approvals.open(opened.after).provider
        except NotFound:
            pass
        else:
            return url_for("approval.page", provider=provider, handle=opened.after)
    return url_for("patient.studies", ctx=opened.context_id)


def _gone() -> Response:
    response = _see_other(url_for("signin.signed_out"))
    sessions.clear_session_cookie(response)
    return response


def _off(authorize_url: str, browser_secret: str) -> Response:
    response = _see_other(authorize_url)
    sessions.set_flow_cookie(response, browser_secret)
    return response


def _see_other(address: str) -> Response:
    """RFC 9110 §15.4.4: whatever was sent here, the next request is a GET that repeats nothing of it."""
    return cast("Response", redirect(address, 303))


def _one(name: str) -> str:
    """The one value of a query parameter. Raises LaunchRefused when there is none, more than one, or a giant."""
    values = request.args.getlist(name)
    if len(values) != 1 or not values[0] or len(values[0]) > _LONGEST:
        raise LaunchRefused("smart.launch.parameters")
    return values[0]
