"""Client authentication as a list of checks."""

from collections.abc import Collection
from typing import Final

from smartapp.audit.model import Event, Severity
from smartapp.authserver.client_auth import assertion, shown
from smartapp.authserver.client_auth.shown import DOUBLE, Shown, TwoMechanisms
from smartapp.authserver.errors import InvalidClient
from smartapp.authserver.requests import OAuthRequest
from smartapp.errors import TooMany
from smartapp.identity.apps.model import App, AppState
from smartapp.tokens.limits.service import Limit
from smartapp.web.limits import client_address
from smartapp.web.noting import note
from smartapp.web.parts import parts

METHODS: Final = ("client_secret_basic", "private_key_jwt", "none")
CONFIDENTIAL: Final = ("client_secret_basic", "private_key_jwt")
_HIGH: Final = frozenset(
    {"client.auth.wrong_method", "client.auth.alg", "client.auth.header", "client.auth.jti_replay", "ssrf.blocked"}
)
_KNOWN: Final = frozenset({AppState.PENDING, AppState.ACTIVE, AppState.SUSPENDED})
"""A suspended app is told so by what its tokens open, not by a riddle here."""
_UNNAMED: Final = 64


def authenticate(request: OAuthRequest, methods: Collection[str] = METHODS) -> App:
    """The app that sent `request`, shown by the method it registered, which must be one of `methods`.

    Raises InvalidClient, InvalidRequest, or TooMany after too many failures; each is in the audit trail first.
    """
    said: Shown | None = None
    app: App | None = None
    try:
        said = shown.read(request)
        app = _registered(request, said)
        _require_patience(request, app)
        _check_method(said, app, methods)
        _check_proof(request, said, app)
    except InvalidClient as error:
        error.basic = error.basic or (said is not None and said.mechanism == "client_secret_basic")
        _failed(request, app, said, error.kind)
        raise
    except TwoMechanisms:
        _record(request, None, None, DOUBLE)
        raise
    request.client = app
    request.auth_method = said.mechanism
    return app


def _registered(request: OAuthRequest, said: Shown) -> App:
    """The registration that the request speaks of. An assertion names it itself (RFC 7521 §4.2)."""
    client_id = said.client_id
    if said.assertion:
        named = assertion.subject(said.assertion)
        if client_id and client_id != named:
            raise InvalidClient("client.auth.claims")
        client_id = named
    app = parts().apps.find(request.provider, client_id)
    if app is None or app.state not in _KNOWN:
        raise InvalidClient("client.auth.unknown")
    return app


def _require_patience(request: OAuthRequest, app: App) -> None:
    """Guesses at one client end, wherever they come from. Other clients are not asked to wait for it."""
    try:
        parts().limits.require_left(Limit.FAILURES_OF, f"{request.provider}/{app.client_id}")
    except TooMany:
        note("ratelimit", of="client", client=app.client_id)
        raise


def _check_method(said: Shown, app: App, methods: Collection[str]) -> None:
    if said.mechanism != app.metadata.token_endpoint_auth_method or said.mechanism not in methods:
        raise InvalidClient("client.auth.wrong_method")


def _check_proof(request: OAuthRequest, said: Shown, app: App) -> None:
    if said.mechanism == "client_secret_basic" and not parts().apps.check_secret(app, said.secret):
        raise InvalidClient("client.auth.secret")
    if said.mechanism == "private_key_jwt":
        assertion.check(request, said.assertion, app)


def _failed(request: OAuthRequest, app: App | None, said: Shown | None, kind: str) -> None:
    """Counts and writes down. Whoever fails too often from one address is told to wait instead."""
    limits, address = parts().limits, client_address()
    try:
        limits.spend(Limit.FAILURES_FROM, address)
    except TooMany:
        note("ratelimit", of="address")
        raise
    if app is not None:
        limits.add(Limit.FAILURES_OF, f"{request.provider}/{app.client_id}", 1)
    _record(request, app, said, kind)


def _record(request: OAuthRequest, app: App | None, said: Shown | None, kind: str) -> None:
    severity: Severity = "high" if kind in _HIGH else "info"
    detail = {"client": app.client_id if app else (said.client_id[:_UNNAMED] if said else "")}
    parts().audit.record(Event(kind, severity, provider=request.provider, detail=detail, request_id=request.reference))
