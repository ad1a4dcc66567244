"""The patient's portal and the clinician's worklist: who signs in here can launch an app without a second password."""

from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request
from werkzeug import Response

from smartapp.sandbox.ehr.browser import check_form, current_session, page_session, remember, sign_in
from smartapp.sandbox.ehr.oauth.errors import PageError
from smartapp.sandbox.ehr.policy import POLICY
from smartapp.sandbox.ehr.site import Site, site_of
from smartapp.sandbox.ehr.state import Launch, Session
from smartapp.sandbox.world import Person, User

portal = Blueprint("portal", __name__, url_prefix="/<hospital>")


@portal.get("/portal")
def home(hospital: str) -> Response:
    """A patient's or representative's page: the records they may open, and the apps to open them with."""
    return _home(site_of(hospital), "portal")


@portal.get("/worklist")
def worklist(hospital: str) -> Response:
    """A clinician's patients, and the apps to open them with."""
    return _home(site_of(hospital), "worklist")


@portal.post("/<any(portal,worklist):page>/signin")
def enter(hospital: str, page: str) -> Response:
    """Sign in with `username` and `password`."""
    site = site_of(hospital)
    session = current_session(site)
    check_form(session)
    fresh = sign_in(site, session) if session else None
    if fresh is None:
        return _sign_in_page(site, page_session(site), page, failed=True)
    place = "worklist" if fresh.user and fresh.user.kind == "clinician" else "portal"
    return remember(site, fresh, redirect(f"{site.base}/{place}", 303))


@portal.post("/<any(portal,worklist):page>/signout")
def leave(hospital: str, page: str) -> Response:
    """Sign out, which also ends the `online_access` of apps."""
    site = site_of(hospital)
    session = current_session(site)
    check_form(session)
    if session:
        site.state.close_session(session)
    return redirect(f"{site.base}/{page}", 303)


@portal.post("/launch")
def launch(hospital: str) -> Response:
    """Open an app for a patient (SMART App Launch 2.2 §3.0.2): `client_id`, `patient`, perhaps `imaging_study`.

    With `framed` the app is opened inside our own page, as some EHRs do.
    """
    site = site_of(hospital)
    session = current_session(site)
    check_form(session)
    client = site.client(request.form.get("client_id"))
    person = _person(site, session.user if session else None, request.form.get("patient", ""))
    if client is None or client.launch_url is None:
        raise PageError("This app cannot be opened from here.")
    study = request.form.get("imaging_study") or None
    if study and study not in {item.imaging_study_id for item in person.studies}:
        raise PageError("This study is not in that record.", 403)
    username = session.user.username if session and session.user else ""
    value = site.state.add_launch(Launch(username, person.id, client.client_id, study))
    query = urlencode({"iss": site.fhir_base, "launch": value})
    joint = "&" if "?" in client.launch_url else "?"
    address = f"{client.launch_url}{joint}{query}"
    return _framed(site, address) if request.form.get("framed") else redirect(address, 303)


def _framed(site: Site, address: str) -> Response:
    shown = Response(
        render_template("framed.html", site=site, address=address), content_type="text/html; charset=utf-8"
    )
    origin = "/".join(address.split("/")[:3])
    shown.headers["Content-Security-Policy"] = f"{POLICY}; frame-src {origin}"
    return shown


def _person(site: Site, user: User | None, id_: str) -> Person:
    if user is None or id_ not in user.patients:
        raise PageError("This record cannot be opened.", 403)
    return next(person for person in site.hospital.people if person.id == id_)


def _home(site: Site, page: str) -> Response:
    session = page_session(site)
    if session.user is None:
        return _sign_in_page(site, session, page, failed=False)
    if page == "worklist" and session.user.kind != "clinician":
        raise PageError("The worklist is for clinicians.", 403)
    people = [_person(site, session.user, id_) for id_ in session.user.patients]
    apps = [client for client in site.config.clients.values() if client.launch_url]
    shown = render_template("home.html", site=site, session=session, page=page, people=people, apps=apps)
    return remember(site, session, Response(shown, content_type="text/html; charset=utf-8"))


def _sign_in_page(site: Site, session: Session, page: str, *, failed: bool) -> Response:
    action = f"{site.base}/{page}/signin"
    shown = render_template("signin.html", site=site, session=session, client=None, action=action, failed=failed)
    return remember(site, session, Response(shown, content_type="text/html; charset=utf-8"))
