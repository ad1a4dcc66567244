"""The token, introspection and revocation endpoints (RFC 6749 §3.2, RFC 7662, RFC 7009)."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request

from smartapp.sandbox.ehr.config import Client
from smartapp.sandbox.ehr.oauth.client_auth import authenticate
from smartapp.sandbox.ehr.oauth.errors import OAuthError, single
from smartapp.sandbox.ehr.oauth.grants import backend_services, code_exchange, refresh
from smartapp.sandbox.ehr.oauth.introspection import describe
from smartapp.sandbox.ehr.site import Site, site_of

tokens = Blueprint("tokens", __name__, url_prefix="/<hospital>/oauth")

Exchange = Callable[[Site, Client, Mapping[str, str]], dict[str, Any]]
EXCHANGES: dict[str, Exchange] = {
    "authorization_code": code_exchange,
    "refresh_token": refresh,
    "client_credentials": backend_services,
}


@tokens.errorhandler(OAuthError)
def _refused(error: OAuthError) -> Response:
    answer = _no_store({"error": error.error, "error_description": error.description}, error.status)
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = "Basic"
    return answer


@tokens.post("/token")
def token(hospital: str) -> Response:
    """Exchange a code, a refresh token or a client's own assertion for tokens."""
    site = site_of(hospital)
    form = single(request.form.items(multi=True))
    exchange = EXCHANGES.get(form.get("grant_type", ""))
    if exchange is None:
        raise OAuthError("unsupported_grant_type", "grant_type is not one of ours")
    client = authenticate(site, form, request.headers.get("Authorization"))
    return _no_store(exchange(site, client, form), 200)


@tokens.post("/introspect")
def introspect(hospital: str) -> Response:
    """What a token is; to its own client, and to resource servers registered with `introspection` (RFC 7662 §2)."""
    site = site_of(hospital)
    form = single(request.form.items(multi=True))
    client = authenticate(site, form, request.headers.get("Authorization"))
    if client.kind == "public":
        raise OAuthError("invalid_client", "introspection needs an authenticated client", 401)
    return _no_store(describe(site, client, form.get("token", "")), 200)


@tokens.post("/revoke")
def revoke(hospital: str) -> Response:
    """End a token; 200 also for one that is unknown (RFC 7009 §2.2)."""
    site = site_of(hospital)
    form = single(request.form.items(multi=True))
    client = authenticate(site, form, request.headers.get("Authorization"))
    site.state.revoke(form.get("token", ""), client.client_id)
    return _no_store({}, 200)


def _no_store(body: dict[str, Any], status: int) -> Response:
    answer = jsonify(body)
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Pragma"] = "no-cache"
    return answer
