"""`/{provider}/oauth/authorize`, by GET and POST (SMART App Launch 2.2, authorize-post)."""

from typing import cast

from flask import Blueprint, Response, make_response, redirect, render_template, url_for
from flask_babel import gettext as _

from smartapp.authserver import addresses
from smartapp.authserver.authorize import service
from smartapp.authserver.authorize.asking import Asking
from smartapp.authserver.authorize.reading import parameters
from smartapp.authserver.authorize.refusals import AnswerRefused, PageRefused
from smartapp.web.reference import request_id
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("authorize", __name__, url_prefix="/<provider>/oauth/authorize")


@blueprint.route("", methods=["GET", "POST"])
@rule(Rule.CLIENT)
def authorize(provider: str) -> Response:
    """Off to the page where the patient is asked. A POST from an app's site brings no cookie of ours: the answer is
    303, so that the page is asked for by GET and nothing is posted twice (RFC 9700 §4.12).
    """
    addresses.issuer(provider)
    asking = Asking(provider, {}, request_id())
    try:
        asking.given = parameters()
    except PageRefused as refusal:
        service.record(asking, refusal)
        return _page(refusal)
    try:
        handle = service.handle(asking)
    except PageRefused as refusal:
        return _page(refusal)
    except AnswerRefused as refusal:
        return _see_other(service.refused_url(asking, refusal))
    return _see_other(url_for("approval.page", provider=provider, handle=handle))


def _page(refusal: PageRefused) -> Response:
    """What a person reads who was sent here by an app that may not, or cannot, ask. Nothing of the request is in it."""
    if refusal.waiting:
        title = _("This app may not ask for your records here")
        advice = _("The hospital has not admitted it, or has stopped it (unauthorized_client). Nothing was sent to it.")
    else:
        title = _("This app's request does not work")
        advice = _("The fault is the app's, not yours. Nothing was sent to it. Its makers can look up the reference.")
    page = render_template(
        "error.html", status=refusal.status, title=title, advice=advice, reference=request_id(), again=None
    )
    return make_response(page, refusal.status)


def _see_other(address: str) -> Response:
    """RFC 9110 §15.4.4."""
    return cast("Response", redirect(address, 303))
