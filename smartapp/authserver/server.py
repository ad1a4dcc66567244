"""Authlib's authorization server as the frame: which grant answers a request, and in which order (RFC 6749 §3.2).

Its own policies are not used: who the client is, what is stored and what is answered is decided in this room.
"""

from typing import Any, Final, NoReturn

from authlib.oauth2 import AuthorizationServer, OAuth2Error
from authlib.oauth2.rfc6749 import OAuth2Request
from flask import Response, jsonify

from smartapp.authserver import client_auth, requests
from smartapp.authserver.errors import InvalidRequest, UnsupportedGrantType
from smartapp.authserver.introspect.endpoint import Introspection
from smartapp.authserver.requests import OAuthRequest
from smartapp.authserver.revoke.endpoint import Revocation
from smartapp.authserver.token.client_credentials import ClientCredentials
from smartapp.authserver.token.code import AuthorizationCode
from smartapp.authserver.token.refresh import Refresh
from smartapp.identity.apps.model import App


class Server(AuthorizationServer):
    """Stateless: everything is in the parts of the application that serves the request."""

    def create_oauth2_request(self, request: Any) -> OAuthRequest:  # noqa: ARG002 -- the current one is meant
        """The current request, checked. Authlib's own would read parameters from the address too."""
        return requests.current()

    def authenticate_client(self, request: OAuthRequest, methods: Any, endpoint: str = "token") -> App:
        """By the registered method alone, at every endpoint. Authlib's own would try one after the other."""
        del endpoint
        return client_auth.authenticate(request, methods)

    def get_token_grant(self, request: OAuth2Request) -> Any:
        """The grant that answers. Authlib's own error would repeat what was sent."""
        asked = request.payload.grant_type if request.payload else None
        if not asked:
            raise InvalidRequest
        if asked not in {grant.GRANT_TYPE for grant in _GRANTS}:
            raise UnsupportedGrantType
        return super().get_token_grant(request)

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:  # noqa: ARG002 -- `web` adds them
        """JSON; `web` adds that it is not to be stored (RFC 6749 §5.1)."""
        response = jsonify(body)
        response.status_code = status
        return response

    def handle_error_response(self, request: Any, error: OAuth2Error) -> NoReturn:  # noqa: ARG002 -- only the error says
        """Errors are rendered at the edge, as everywhere."""
        raise error

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens: what is to be written down is in the audit trail."""


_GRANTS: Final = (AuthorizationCode, Refresh, ClientCredentials)

SERVER: Final = Server()
for _grant in _GRANTS:
    SERVER.register_grant(_grant)
SERVER.register_endpoint(Introspection)
SERVER.register_endpoint(Revocation)
