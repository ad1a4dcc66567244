"""Browser sessions of a hospital's pages: the cookie, the anti-forgery value, the password (OWASP ASVS 4, sessions)."""

import hmac
from urllib.parse import urlsplit

from flask import request
from werkzeug import Response

from smartapp.sandbox.ehr.oauth.errors import PageError
from smartapp.sandbox.ehr.site import Site
from smartapp.sandbox.ehr.state import Session


def cookie_name(site: Site) -> str:
    """The cookie's name carries the port, because browsers share cookies between ports of a host."""
    return f"ehr_{urlsplit(site.base).port}_{site.hospital.id}"


def current_session(site: Site) -> Session | None:
    """The session of this browser at this hospital, or None."""
    return site.state.session(request.cookies.get(cookie_name(site)))


def page_session(site: Site) -> Session:
    """The session of this browser, or a new one in which nobody is signed in."""
    return current_session(site) or site.state.open_session()


def remember(site: Site, session: Session, answer: Response) -> Response:
    """The answer, with the session's cookie. `Secure` is left out: the sandbox speaks http on loopback."""
    answer.set_cookie(cookie_name(site), session.id, httponly=True, samesite="Lax", path=f"/{site.hospital.id}")
    return answer


def check_form(session: Session | None) -> None:
    """PageError 403 unless the posted form came from a page of this very session."""
    given = request.form.get("csrf", "")
    if session is None or not hmac.compare_digest(session.csrf.encode(), given.encode()):
        raise PageError("This form is no longer good. Go back and load the page again.", 403)


def sign_in(site: Site, session: Session) -> Session | None:
    """A new session (its id changes, so a planted one is worth nothing) for a right password; None for a wrong one."""
    user = site.user(request.form.get("username", "").strip())
    given = request.form.get("password", "")
    if user is None or not hmac.compare_digest(user.password.encode(), given.encode()):
        return None
    site.state.close_session(session)
    return site.state.open_session(user)
