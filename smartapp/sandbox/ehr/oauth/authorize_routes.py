"""The authorization endpoint and its pages: sign in, choose a record, approve (RFC 6749 §3.1)."""

from dataclasses import replace

from flask import Blueprint, redirect, render_template, request
from werkzeug import Response

from smartapp.sandbox.ehr.browser import check_form, current_session, page_session, remember, sign_in
from smartapp.sandbox.ehr.oauth.authorize import answer_url, client_of, read_request
from smartapp.sandbox.ehr.oauth.errors import OAuthError, PageError, single
from smartapp.sandbox.ehr.oauth.interaction import approve, next_need, refuse, settled
from smartapp.sandbox.ehr.oauth.words import in_words
from smartapp.sandbox.ehr.site import Site, site_of
from smartapp.sandbox.ehr.state import AuthRequest, Session

authorization = Blueprint("authorization", __name__, url_prefix="/<hospital>/oauth")

DENIED = OAuthError("access_denied", "the person said no")


@authorization.route("/authorize", methods=["GET", "POST"])
def authorize(hospital: str) -> Response:
    """Check the request, keep it here, and go on by GET: so a POST from elsewhere finds its browser session too."""
    site = site_of(hospital)
    try:
        params = single([*request.args.items(multi=True), *request.form.items(multi=True)])
    except OAuthError as error:
        raise PageError(f"The request cannot be read: {error.description}.") from error
    client = client_of(site, params)
    try:
        handle = site.state.add_request(read_request(site, client, params))
    except OAuthError as error:
        answer = {"error": error.error, "error_description": error.description}
        return redirect(answer_url(site, params["redirect_uri"], params.get("state"), answer), 303)
    return redirect(_own(site, handle), 303)


@authorization.get("/continue/<handle>")
def proceed(hospital: str, handle: str) -> Response:
    """The next page for the person, or back to the app when nothing is left to ask."""
    site = site_of(hospital)
    session = page_session(site)
    waiting = site.state.bind_request(handle, session.id)
    if waiting is None:
        raise PageError("This page is no longer good. Start again from the app.")
    try:
        return remember(site, session, _next(site, handle, waiting, session))
    except OAuthError as error:
        site.state.take_request(handle)
        return redirect(refuse(site, waiting, error), 303)


@authorization.post("/signin/<handle>")
def signin(hospital: str, handle: str) -> Response:
    """The answer to the sign-in page: `username` and `password`."""
    site, session, waiting = _answered(hospital, handle)
    fresh = sign_in(site, session)
    if fresh is None:
        return remember(site, session, _sign_in_page(site, handle, waiting, session, failed=True))
    site.state.change_request(handle, replace(waiting, session=fresh.id, anew=False))
    return remember(site, fresh, redirect(_own(site, handle), 303))


@authorization.post("/patient/<handle>")
def choose(hospital: str, handle: str) -> Response:
    """The answer to the choice of a record: `patient`."""
    site, session, waiting = _answered(hospital, handle)
    patient = request.form.get("patient", "")
    if session.user is None or patient not in session.user.patients:
        raise PageError("This record cannot be chosen.", 403)
    site.state.change_request(handle, replace(waiting, patient=patient))
    return redirect(_own(site, handle), 303)


@authorization.post("/decision/<handle>")
def decide(hospital: str, handle: str) -> Response:
    """The answer to the approval page: `decision` is `approve` or `deny`. What was shown is what is given."""
    site, session, waiting = _answered(hospital, handle)
    client = site.client(waiting.client_id)
    if client is None or next_need(waiting, client, session.user) != "approval":
        raise PageError("This page is no longer good. Start again from the app.")
    if site.state.take_request(handle) is None:
        raise PageError("This was answered already.")
    if request.form.get("decision") == "approve":
        return redirect(approve(site, waiting, session), 303)
    return redirect(refuse(site, waiting, DENIED), 303)


def _own(site: Site, handle: str) -> str:
    return f"{site.base}/oauth/continue/{handle}"


def _answered(hospital: str, handle: str) -> tuple[Site, Session, AuthRequest]:
    """The request that a form answers, from the browser that was shown the form; PageError otherwise."""
    site = site_of(hospital)
    session = current_session(site)
    check_form(session)
    waiting = site.state.request(handle, session.id) if session else None
    if session is None or waiting is None:
        raise PageError("This page is no longer good. Start again from the app.")
    return site, session, waiting


def _next(site: Site, handle: str, waiting: AuthRequest, session: Session) -> Response:
    client = site.client(waiting.client_id)
    if client is None:
        raise OAuthError("unauthorized_client", "this app is no longer registered")
    if session.user and not waiting.anew:
        waiting = settled(waiting, session.user)
        site.state.change_request(handle, waiting)
    need = next_need(waiting, client, session.user)
    if need == "sign-in":
        return _sign_in_page(site, handle, waiting, session, failed=False)
    if need == "nothing":
        if site.state.take_request(handle) is None:
            raise PageError("This was answered already.")
        return redirect(approve(site, waiting, session), 303)
    people = {person.id: person for person in site.hospital.people}
    return _page(
        "patient.html" if need == "patient" else "approve.html",
        site=site,
        session=session,
        client=client,
        handle=handle,
        choices=[people[id_] for id_ in session.user.patients] if session.user else [],
        person=people.get(waiting.patient or ""),
        sentences=in_words(waiting.scopes),
        returns_to=waiting.redirect_uri,
    )


def _sign_in_page(site: Site, handle: str, waiting: AuthRequest, session: Session, *, failed: bool) -> Response:
    client = site.client(waiting.client_id)
    action = f"{site.base}/oauth/signin/{handle}"
    return _page("signin.html", site=site, session=session, client=client, action=action, failed=failed)


def _page(template: str, **values: object) -> Response:
    return Response(render_template(template, **values), content_type="text/html; charset=utf-8")
