"""The browser's session: one cookie that holds a secret, everything else is on our side."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from flask import Response, current_app, g, request

from smartapp.errors import NotSignedIn
from smartapp.identity.model import Principal
from smartapp.web.parts import parts

if TYPE_CHECKING:
    from smartapp.exchange.developers.service import DeveloperSession
    from smartapp.identity.service import BrowserSession


_View = TypeVar("_View", bound=Callable[..., Any])
_PASSIVE: Final = "passive"


def _cookie_name(kind: str) -> str:
    """`__Host-` binds the cookie to this host over TLS; plain http is for loopback only, where ports share cookies."""
    base = urlsplit(parts().settings.server.base_url)
    return f"__Host-smartapp-{kind}" if base.scheme == "https" else f"smartapp-{kind}-{base.port}"


def _secure() -> bool:
    return parts().settings.server.base_url.startswith("https://")


def raw_cookie() -> str | None:
    """The session cookie as the browser sent it."""
    return request.cookies.get(_cookie_name("session"))


def raw_flow_cookie() -> str | None:
    """The cookie that binds pending sign-ins to this browser."""
    return request.cookies.get(_cookie_name("flow"))


def raw_developer_cookie() -> str | None:
    """The cookie of an app developer's session: it opens nothing of a patient's."""
    return request.cookies.get(_cookie_name("developer"))


def passive(view: _View) -> _View:
    """Marks a view that pages call by themselves: it is nobody's activity, and moves no idle limit."""
    setattr(view, _PASSIVE, True)
    return view


def _is_passive() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, _PASSIVE, False)


def current_or_none() -> BrowserSession | None:
    """The live session of this browser, looked up once per request."""
    if "browser_session" not in g:
        raw = raw_cookie()
        g.browser_session = parts().identity.lookup(raw, touch=not _is_passive()) if raw else None
    found: BrowserSession | None = g.browser_session
    return found


def current() -> BrowserSession:
    """The live session of this browser; NotSignedIn if there is none."""
    session = current_or_none()
    if session is None:
        raise NotSignedIn
    return session


def principal(context_id: str) -> Principal:
    """Who asks in this page's context; WrongContext when the page is of another record than this browser's."""
    return parts().identity.principal(current(), context_id)


def set_session_cookie(response: Response, secret: str) -> None:
    """Hands the new session's secret to the browser. It is a session cookie; the limits are kept on our side."""
    _set(response, "session", secret)


def set_flow_cookie(response: Response, secret: str) -> None:
    """Binds a pending sign-in to this browser. SameSite=Lax: it must come along when the EHR sends the browser back."""
    _set(response, "flow", secret)


def clear_session_cookie(response: Response) -> None:
    """Takes the session's secret back."""
    response.delete_cookie(_cookie_name("session"), secure=_secure(), httponly=True, samesite="Lax")


def set_developer_cookie(response: Response, secret: str) -> None:
    """Hands an app developer's session to the browser."""
    _set(response, "developer", secret)


def clear_developer_cookie(response: Response) -> None:
    """Takes it back."""
    response.delete_cookie(_cookie_name("developer"), secure=_secure(), httponly=True, samesite="Lax")


def current_developer_or_none() -> DeveloperSession | None:
    """The app developer who is signed in in this browser, looked up once per request."""
    if "developer_session" not in g:
        raw = raw_developer_cookie()
        g.developer_session = parts().developers.lookup(raw) if raw else None
    found: DeveloperSession | None = g.developer_session
    return found


def current_developer() -> DeveloperSession:
    """The app developer who is signed in in this browser; NotSignedIn if there is none."""
    session = current_developer_or_none()
    if session is None:
        raise NotSignedIn
    return session


def _set(response: Response, kind: str, value: str) -> None:
    response.set_cookie(_cookie_name(kind), value, secure=_secure(), httponly=True, samesite="Lax", path="/")
