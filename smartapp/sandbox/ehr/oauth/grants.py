"""The three grant types: what each checks, and what it answers (RFC 6749 §4.1.3, §6; SMART backend services)."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from smartapp.sandbox.ehr import faults
from smartapp.sandbox.ehr.config import Client
from smartapp.sandbox.ehr.oauth.errors import OAuthError, invalid_grant
from smartapp.sandbox.ehr.oauth.pkce import verifies
from smartapp.sandbox.ehr.scopes import covers, grant
from smartapp.sandbox.ehr.site import Site
from smartapp.sandbox.ehr.state import Grant, Spent, secret
from smartapp.sandbox.ehr.times import timestamp

BACKEND_LIFETIME = 300
REFRESHABLE = frozenset({"offline_access", "online_access"})


def code_exchange(site: Site, client: Client, form: Mapping[str, str]) -> dict[str, Any]:
    """A code for tokens. The code is spent first, so that a wrong guess at its bonds cannot be repeated."""
    try:
        code = site.state.take_code(form.get("code", ""))
    except Spent as error:
        raise invalid_grant("the code was used before; its tokens are revoked") from error
    if code is None or code.grant.client_id != client.client_id:
        raise invalid_grant("no such code")
    if code.redirect_uri != form.get("redirect_uri"):
        raise invalid_grant("redirect_uri is not the one of the request")
    if not verifies(form.get("code_verifier", ""), code.challenge):
        raise invalid_grant("code_verifier does not fit")
    issued = _issue(site, code.grant)
    return {**issued, **_context(site, code.grant), **_id_token(site, code.grant)}


def refresh(site: Site, client: Client, form: Mapping[str, str]) -> dict[str, Any]:
    """A refresh token for its successor and a new access token, of the same or a narrower scope (RFC 6749 §6)."""
    value = form.get("refresh_token", "")
    lifetime = site.config.token_lifetime
    try:
        token = site.state.refresh(value)
        if token is None or token.grant.client_id != client.client_id:
            raise invalid_grant("no such refresh token")
        scopes = _narrowed(token.scopes, form.get("scope"))
        rotated = site.state.rotate(value, scopes, timedelta(seconds=lifetime))
    except Spent as error:
        raise invalid_grant("the refresh token was used before; its grant is revoked") from error
    if rotated is None:
        raise invalid_grant("no such refresh token")
    return {**_answer(rotated, scopes, lifetime), **_context(site, faults.grant(site, token.grant))}


def backend_services(site: Site, client: Client, form: Mapping[str, str]) -> dict[str, Any]:
    """A short token for the client itself, over `system/` scopes (SMART App Launch 2.2, backend services)."""
    if client.kind != "backend":
        raise OAuthError("unauthorized_client", "this client has no backend services")
    asked = tuple(scope for scope in form.get("scope", "").split() if scope.startswith("system/"))
    scopes = grant(asked, client.scopes)
    if not scopes:
        raise OAuthError("invalid_scope", "none of these scopes is registered for this client")
    lifetime = min(site.config.token_lifetime, BACKEND_LIFETIME)
    own = Grant(secret(), client.client_id, scopes)
    issued = site.state.issue(own, scopes, timedelta(seconds=lifetime), refreshable=False)
    return _answer(issued, scopes, lifetime)


def subject_of(site: Site, given: Grant) -> str:
    """A stable, opaque name for the person who signed in (OpenID Connect Core §8), or the client itself."""
    if given.user is None:
        return given.client_id
    return hashlib.sha256(f"{site.hospital.id}/{given.user.username}".encode()).hexdigest()[:32]


def fhir_user_of(site: Site, given: Grant) -> str | None:
    """The absolute URL of the resource of the person who signed in."""
    return f"{site.fhir_base}/{site.backend.reference(given.user.fhir_user)}" if given.user else None


def _issue(site: Site, given: Grant) -> dict[str, Any]:
    lifetime = site.config.token_lifetime
    refreshable = bool(REFRESHABLE & set(given.scopes))
    try:
        issued = site.state.issue(given, given.scopes, timedelta(seconds=lifetime), refreshable=refreshable)
    except Spent as error:
        raise invalid_grant("the code was used twice at once") from error
    return _answer(issued, given.scopes, lifetime)


def _answer(issued: tuple[str, str | None], scopes: tuple[str, ...], lifetime: int) -> dict[str, Any]:
    access, refresh_token = issued
    answer = {"access_token": access, "token_type": "Bearer", "expires_in": lifetime, "scope": " ".join(scopes)}
    return {**answer, **({"refresh_token": refresh_token} if refresh_token else {})}


def _context(site: Site, given: Grant) -> dict[str, Any]:
    """The launch context beside the token (SMART App Launch 2.2 §3.0.5)."""
    if given.patient is None:
        return {}
    context: dict[str, Any] = {"patient": site.patient_id(given.patient), "need_patient_banner": not given.ehr_launch}
    if given.imaging_study:
        context["fhirContext"] = [{"reference": site.backend.reference(f"ImagingStudy/{given.imaging_study}")}]
    return context


def _id_token(site: Site, given: Grant) -> dict[str, Any]:
    if "openid" not in given.scopes or given.auth_time is None:
        return {}
    moment = timestamp()
    claims = {
        "iss": site.base,
        "sub": subject_of(site, given),
        "aud": given.client_id,
        "iat": moment,
        "exp": moment + site.config.token_lifetime,
        "auth_time": int(given.auth_time.timestamp()),
        **({"nonce": given.nonce} if given.nonce else {}),
        **({"fhirUser": fhir_user_of(site, given)} if "fhirUser" in given.scopes else {}),
    }
    return {"id_token": faults.id_token(site, claims)}


def _narrowed(held: tuple[str, ...], asked: str | None) -> tuple[str, ...]:
    if asked is None:
        return held
    wanted = tuple(asked.split())
    if not wanted or not all(covers(held, scope) for scope in wanted):
        raise OAuthError("invalid_scope", "a refresh cannot ask for more than was granted")
    return wanted
