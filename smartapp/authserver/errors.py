"""Errors in OAuth's words (RFC 6749 §5.2). Each text is fixed: nothing that was sent comes back in it."""

from typing import Final

from authlib.oauth2 import OAuth2Error
from flask import Blueprint, Response, g, jsonify

REALM: Final = 'Basic realm="smartapp", charset="UTF-8"'


class OAuthError(OAuth2Error):
    """Root of those below: `error` is the registered code, `description` for a developer."""

    status_code = 400

    def __init__(self, description: str | None = None) -> None:
        super().__init__(description)


class InvalidRequest(OAuthError):
    """Something is missing, said twice, or not readable."""

    error = "invalid_request"
    description = "The request is missing a parameter, says one twice, or is malformed."


class InvalidGrant(OAuthError):
    """The code or refresh token opens nothing, or no more, or not for this client."""

    error = "invalid_grant"
    description = "The code or token is unknown, used, expired, revoked, or was issued for another request."


class InvalidScope(OAuthError):
    """The scope is more than may be had, or nothing."""

    error = "invalid_scope"
    description = "The scope is unknown, malformed, or exceeds what was granted."


class UnauthorizedClient(OAuthError):
    """The client is who it says, and may not do this."""

    error = "unauthorized_client"
    description = "This client may not use this grant type."


class UnsupportedGrantType(OAuthError):
    """Another grant type than the three we have."""

    error = "unsupported_grant_type"
    description = "The grant type is not supported."


class InvalidClient(OAuthError):
    """It could not be shown who asks. `kind` is for the audit trail; the wire tells all faults alike.

    `basic`: the client tried HTTP Basic, and is told so (RFC 6749 §5.2).
    """

    error = "invalid_client"
    status_code = 401
    description = "Client authentication failed: see the registered method, key and time limits."

    def __init__(self, kind: str = "client.auth.failed", *, basic: bool = False) -> None:
        super().__init__()
        self.kind = kind
        self.basic = basic

    def get_headers(self) -> list[tuple[str, str]]:
        """RFC 9110 §11.6.1."""
        return [("WWW-Authenticate", REALM)] if self.basic else []


def register(blueprint: Blueprint) -> None:
    """Answers OAuth's errors of the blueprint's routes in JSON. All others `web` answers, in the same form."""
    blueprint.register_error_handler(OAuth2Error, _oauth)


def answer(status: int, error: str, description: str) -> Response:
    """An error's JSON."""
    response = jsonify(error=error, error_description=description)
    response.status_code = status
    return response


def _oauth(error: OAuth2Error) -> Response:
    """Keeps our own word for it beside: the wire tells many faults alike, the developer's page does not."""
    g.oauth_why = getattr(error, "kind", "") or getattr(error.__cause__, "code", "")
    response = answer(error.status_code, str(error.error), str(error.description))
    for name, value in error.get_headers():
        if name == "WWW-Authenticate":
            response.headers[name] = value
    return response
