"""Who is the client? Each registered kind proves itself in its own way, and in no other (RFC 6749 §2.3)."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from urllib.parse import unquote_plus

from smartapp.sandbox.ehr.config import Client
from smartapp.sandbox.ehr.jose import BadAssertion, read_assertion, unverified_subject
from smartapp.sandbox.ehr.oauth.errors import OAuthError, invalid_client
from smartapp.sandbox.ehr.site import Site

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def authenticate(site: Site, form: Mapping[str, str], authorization: str | None) -> Client:
    """The client behind a token, introspection or revocation request; OAuthError invalid_client if none."""
    used = [bool(authorization), "client_assertion" in form, "client_secret" in form]
    if sum(used) > 1:
        raise OAuthError("invalid_request", "one way of client authentication only")
    if authorization:
        client = _by_secret(site, *_basic(authorization))
    elif "client_assertion" in form:
        client = _by_assertion(site, form)
    elif "client_secret" in form:
        client = _by_secret(site, form.get("client_id", ""), form["client_secret"])
    else:
        client = _public(site, form.get("client_id"))
    if form.get("client_id", client.client_id) != client.client_id:
        raise invalid_client("client_id is another client's")
    return client


def _basic(header: str) -> tuple[str, str]:
    scheme, _, value = header.partition(" ")
    try:
        pair = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise invalid_client("the Authorization header cannot be read") from error
    name, colon, password = pair.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise invalid_client("the Authorization header is not Basic")
    return unquote_plus(name), unquote_plus(password)


def _by_secret(site: Site, client_id: str, given: str) -> Client:
    client = site.client(client_id)
    kept = client.client_secret if client and client.kind == "confidential" else None
    if client is None or kept is None or not hmac.compare_digest(kept.encode(), given.encode()):
        raise invalid_client("unknown client, or not its secret")
    return client


def _by_assertion(site: Site, form: Mapping[str, str]) -> Client:
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise invalid_client("client_assertion_type is not jwt-bearer")
    text = form["client_assertion"]
    try:
        client = site.client(unverified_subject(text))
        if client is None or client.jwks is None:
            raise invalid_client("no client with keys by that name")
        jti = read_assertion(text, client.jwks, client.client_id, {site.token_url, site.base})
    except BadAssertion as error:
        raise invalid_client(f"client_assertion: {error}") from error
    if not site.state.first_use(client.client_id, jti):
        raise invalid_client("client_assertion: jti was used before")
    return client


def _public(site: Site, client_id: str | None) -> Client:
    client = site.client(client_id)
    if client is None or client.kind != "public":
        raise invalid_client("this client must authenticate")
    return client
