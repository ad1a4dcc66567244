"""Getting a token, keeping it fresh, and giving it back."""

from typing import Any

import requests
from flask import Blueprint, redirect, request
from werkzeug import Response

from smartapp.sandbox.sample_app import smart
from smartapp.sandbox.sample_app.browser import config, page, refused, visitor
from smartapp.sandbox.sample_app.model import Registration

blueprint = Blueprint("connecting", __name__)
Answer = Response | tuple[str, int]


@blueprint.get("/healthz")
def healthz() -> str:
    """That it answers."""
    return "ok"


@blueprint.get("/")
def home() -> str:
    """The servers it knows, the connection that there is, and the study that it was opened from."""
    references = [each.get("reference", "") for each in visitor().token.get("fhirContext", [])]
    studies = [each.removeprefix("ImagingStudy/") for each in references if each.startswith("ImagingStudy/")]
    return page("home.html", servers=[each.fhir for each in config().registrations], opened=next(iter(studies), None))


@blueprint.post("/connect")
def connect() -> Answer:
    """A standalone launch."""
    registration = config().registration(request.form.get("fhir", ""))
    return _off(registration, None) if registration else (refused(400, "server"), 400)


@blueprint.get("/launch")
def launch() -> Answer:
    """A launch from a portal (SMART App Launch 2.2, EHR launch): only from a server that it knows."""
    registration = config().registration(request.args.get("iss", ""))
    if registration is None or not request.args.get("launch"):
        return refused(400, "iss or launch"), 400
    return _off(registration, request.args["launch"])


@blueprint.get("/callback")
def back() -> Answer:
    """Back from the server (RFC 6749 §4.1.2, RFC 9207 §2.4)."""
    pending = visitor().pending.pop(request.args.get("state", ""), None)
    if pending is None or "code" not in request.args:
        return refused(400, request.args.get("error", "state")), 400
    if request.args.get("iss") != pending.endpoints["issuer"]:
        return refused(400, "iss"), 400
    return _kept(smart.redeem(pending, request.args["code"], _callback()), pending.registration, pending.endpoints)


@blueprint.post("/refresh")
def refresh() -> Answer:
    """A new access token for the refresh token."""
    asker = visitor()
    if asker.registration is None or "refresh_token" not in asker.token:
        return refused(400, "no refresh token"), 400
    answer = smart.refresh(asker.endpoints, asker.registration, asker.token["refresh_token"])
    return _kept(answer, asker.registration, asker.endpoints)


@blueprint.post("/disconnect")
def disconnect() -> Answer:
    """Gives the tokens back (RFC 7009)."""
    asker = visitor()
    if asker.registration is not None:
        token = asker.token.get("refresh_token") or asker.token.get("access_token", "")
        smart.revoke(asker.endpoints, asker.registration, token)
    asker.registration, asker.token = None, {}
    return redirect("/", 303)


def _callback() -> str:
    return f"{config().base}/callback"


def _off(registration: Registration, launch: str | None) -> Response:
    state, address, pending = smart.begin(registration, _callback(), launch)
    visitor().pending[state] = pending
    return redirect(address, 303)


def _kept(answer: requests.Response, registration: Registration, endpoints: dict[str, Any]) -> Answer:
    if answer.status_code != 200:
        return refused(answer.status_code, answer.text[:2000]), 200
    asker = visitor()
    asker.registration, asker.endpoints, asker.token = registration, endpoints, answer.json()
    return redirect("/", 303)
