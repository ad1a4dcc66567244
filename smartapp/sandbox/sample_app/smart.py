"""SMART App Launch 2.2 as a client: discovery, authorization request, token requests."""

import base64
import hashlib
import secrets
from typing import Any
from urllib.parse import urlencode

import requests

from smartapp.sandbox.sample_app.model import Pending, Registration

SCOPE = "openid fhirUser offline_access patient/*.rs"
TIMEOUT = 30.0


def discover(fhir: str) -> dict[str, Any]:
    """The server's smart-configuration."""
    answer = requests.get(f"{fhir}/.well-known/smart-configuration", timeout=TIMEOUT)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def begin(registration: Registration, redirect_uri: str, launch: str | None) -> tuple[str, str, Pending]:
    """A new request: its state, where to send the browser, and what to remember."""
    endpoints, state, verifier = discover(registration.fhir), secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": registration.client_id,
        "redirect_uri": redirect_uri,
        "scope": f"{'launch' if launch else 'launch/patient'} {SCOPE}",
        "state": state,
        "aud": registration.fhir,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **({"launch": launch} if launch else {}),
    }
    address = f"{endpoints['authorization_endpoint']}?{urlencode(query)}"
    return state, address, Pending(registration, verifier, endpoints)


def redeem(pending: Pending, code: str, redirect_uri: str) -> requests.Response:
    """The token request for a code."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": pending.verifier,
    }
    return post(pending.endpoints["token_endpoint"], pending.registration, form)


def refresh(endpoints: dict[str, Any], registration: Registration, token: str) -> requests.Response:
    """The token request for a refresh token."""
    return post(endpoints["token_endpoint"], registration, {"grant_type": "refresh_token", "refresh_token": token})


def revoke(endpoints: dict[str, Any], registration: Registration, token: str) -> requests.Response:
    """Gives a token back (RFC 7009)."""
    return post(endpoints["revocation_endpoint"], registration, {"token": token})


def post(url: str, registration: Registration, form: dict[str, str]) -> requests.Response:
    """A form, with the app's name and secret (RFC 6749 §2.3.1)."""
    return requests.post(url, data=form, auth=(registration.client_id, registration.client_secret), timeout=TIMEOUT)
