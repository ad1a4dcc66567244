"""PyPI `authlib` as an OAuth 2.0 client: PKCE, its ways to say who it is, refresh, introspection, revocation."""

from time import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from tests.clients.python.told import Told, found, given, person


def session_of(told: Told, known: Told) -> OAuth2Session:
    method = told["method"]
    return OAuth2Session(
        told["client_id"],
        told["client_secret"] or (told["jwk"] and ECKey.import_key(told["jwk"])),
        scope=told["scope"],
        redirect_uri=told["redirect_uri"],
        code_challenge_method="S256",
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        token_endpoint=known["token_endpoint"],
    )


def ready(session: Any, told: Told, known: Told) -> Any:
    """Before each request: an assertion with a key lives for an hour and names no key unless it is told what SMART
    asks for, and where it is told, the first `jti` stays for all that follow.
    """
    if told["method"] == "private_key_jwt":
        claims, header = {"exp": int(time()) + 240}, {"kid": told["jwk"]["kid"]}
        session.register_client_auth_method(PrivateKeyJWT(known["token_endpoint"], claims, header, alg="ES384"))
    return session


def sign_in(session: OAuth2Session, told: Told, known: Told) -> str:
    """Through the person's browser to a token; the issuer that the answer named."""
    verifier, nonce = generate_token(64), generate_token(20)
    url, state = session.create_authorization_url(
        known["authorization_endpoint"], code_verifier=verifier, aud=told["fhir"], nonce=nonce
    )
    back = person(url)
    ready(session, told, known).fetch_token(authorization_response=back, state=state, code_verifier=verifier)
    keys = KeySet.import_key_set(requests.get(known["jwks_uri"], timeout=30).json())
    claims = jwt.decode(session.token["id_token"], keys, algorithms=["RS256", "ES256"]).claims
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": known["issuer"]},
        aud={"essential": True, "value": told["client_id"]},
        nonce={"essential": True, "value": nonce},
    ).validate(claims)
    return parse_qs(urlsplit(back).query)["iss"][0]


def life(session: Any, told: Told, known: Told) -> Told:
    """From the first token to the end of the last."""
    study = f"{told['fhir']}/ImagingStudy?patient={session.token['patient']}"
    facts: Told = {"scope": session.token["scope"], "first": session.get(study).status_code}
    spent = dict(session.token)
    ready(session, told, known).refresh_token()
    facts["refreshed"] = session.token["access_token"] != spent["access_token"]
    facts["rotated"] = session.token["refresh_token"] != spent["refresh_token"]
    facts["after"] = session.get(study).status_code
    if told["method"] != "none":
        mine, place = session.token["access_token"], known["introspection_endpoint"]
        facts["introspected"] = ready(session, told, known).introspect_token(place, token=mine).json()
    last, place = session.token["refresh_token"], known["revocation_endpoint"]
    facts["revoked"] = ready(session, told, known).revoke_token(place, token=last).status_code
    facts["ended"] = session.get(study).status_code
    try:
        ready(session, told, known).refresh_token(refresh_token=last)
    except OAuthError as refused:
        facts["refused"] = refused.error
    return facts


def service(told: Told, known: Told) -> Told:
    """A backend service: no person, a key, and a token of a few minutes."""
    session = ready(session_of(told, known), told, known)
    token = session.fetch_token(grant_type="client_credentials", scope=told["scope"])
    return {name: value for name, value in token.items() if name != "access_token"}


def main(told: Told) -> None:
    known = requests.get(f"{told['fhir']}/.well-known/smart-configuration", timeout=30).json()
    if told["redirect_uri"] is None:
        found(**service(told, known))
        return
    session = session_of(told, known)
    issuer = sign_in(session, told, known)
    found(issuer=issuer, known=known["issuer"], **life(session, told, known))


if __name__ == "__main__":
    main(given())
