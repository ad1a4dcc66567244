"""Errors of registration (RFC 7591 §3.2.2): the field is named, its value never repeated."""

from typing import Final

from flask import Blueprint, Response

from smartapp.authserver import errors
from smartapp.errors import NotSignedIn
from smartapp.exchange.developers.refusal import RegistrationRefused

_CHALLENGE: Final = 'Bearer error="invalid_token"'
_WORDS: Final = {
    "json": "The body must be one JSON object, each name once.",
    "missing": "A value is required.",
    "unused": "No value is expected with these grant types.",
    "text": "The value must be a string of printable characters, not too long.",
    "list": "The value must be a list of strings.",
    "many": "There are too many values.",
    "offered": "The value is not among those that the server's metadata offers.",
    "refresh": "refresh_token needs authorization_code.",
    "backend": "client_credentials needs private_key_jwt.",
    "address": "The value must be a plain https address: no user name, fragment, wildcard or upper-case host.",
    "query": "The address must not hold parameters of our answers.",
    "port": "The port is not allowed.",
    "one": "Exactly one of jwks and jwks_uri is needed for private_key_jwt, and none otherwise.",
    "set": "The value must be a JWK Set with public keys.",
    "kid": "Every key needs a kid of its own.",
    "private": "The set holds a private or symmetric key. Replace that key: it has been sent.",
    "use": "The key is not for signatures.",
    "weak": "Keys must be RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519.",
    "taken": "The name is a hospital's.",
    "system": "system/ scopes need client_credentials.",
    "empty": "Nothing of this scope is offered.",
    "mail": "The values must be mail addresses.",
    "unverified": "Software statements are not accepted.",
    "client": "The client_id or client_secret is not this client's.",
    "read-only": "The server alone sets this value.",
}


def register(blueprint: Blueprint) -> None:
    """Answers all errors of the blueprint's routes in JSON."""
    errors.register(blueprint)
    blueprint.register_error_handler(RegistrationRefused, _refused)
    blueprint.register_error_handler(NotSignedIn, _unknown)


def _refused(refusal: RegistrationRefused) -> Response:
    words = _WORDS[refusal.problem]
    field = f"{refusal.field}: " if refusal.field else ""
    return errors.answer(400, refusal.error, f"{field}{words}")


def _unknown(_error: NotSignedIn) -> Response:
    response = errors.answer(401, "invalid_token", "The token is missing, unknown, or of another client.")
    response.headers["WWW-Authenticate"] = _CHALLENGE
    return response
