"""Against forged requests: a token bound to the session, and where the browser says the request comes from."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, NoReturn

from flask import request

from smartapp.errors import BadInput
from smartapp.web import sessions
from smartapp.web.noting import note
from smartapp.web.parts import parts

if TYPE_CHECKING:
    from smartapp.exchange.developers.service import DeveloperSession
    from smartapp.identity.service import BrowserSession

FIELD = "csrf_token"
HEADER = "X-CSRF-Token"


def token_for(session: BrowserSession) -> str:
    """The token of this session's forms. It dies with the session: nothing is stored."""
    return parts().keyring.mac("csrf", session.session_id)


def csrf_token() -> str:
    """For templates: the token of the current session, or an empty string when nobody is signed in."""
    session = sessions.current_or_none()
    return token_for(session) if session else ""


def require_token(session: BrowserSession) -> None:
    """Raises BadInput unless the form or header carries this session's token and the request is our own page's."""
    _require(token_for(session))


def developer_token(session: DeveloperSession) -> str:
    """The token of the forms of an app developer's session."""
    return parts().keyring.mac("csrf.developer", session.session_id)


def require_developer_token(session: DeveloperSession) -> None:
    """As `require_token`, for an app developer's session."""
    _require(developer_token(session))


def _require(token: str) -> None:
    require_same_origin()
    sent = request.headers.get(HEADER) or request.form.get(FIELD, "")
    if not hmac.compare_digest(sent.encode(), token.encode()):
        _refuse("token")


def require_same_origin() -> None:
    """Raises BadInput when the browser says that another site sent this request (Fetch Metadata, or Origin)."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None and site != "same-origin":
        _refuse("site")
    if origin is not None and origin != parts().settings.server.base_url:
        _refuse("origin")


def _refuse(why: str) -> NoReturn:
    note("csrf.fail", why=why, route=request.endpoint or "")
    raise BadInput("csrf.fail")
