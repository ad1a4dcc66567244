"""A token for a service that acts for itself (SMART App Launch 2.2, backend services): within the operator's policy."""

from typing import Any, Final

from authlib.oauth2.rfc6749 import BaseGrant, TokenEndpointMixin

from smartapp.authserver.errors import InvalidScope, UnauthorizedClient
from smartapp.authserver.requests import OAuthRequest
from smartapp.authserver.token.answer import answer
from smartapp.consent.scopes.algebra import intersect, is_empty, only
from smartapp.consent.scopes.grammar import parse, text
from smartapp.consent.scopes.model import Level, Scopes
from smartapp.identity.apps.model import AppState
from smartapp.web.parts import parts

NAME: Final = "client_credentials"


class ClientCredentials(BaseGrant, TokenEndpointMixin):
    """Only by a signed assertion: a shared secret is no credential for a service that reads many records."""

    GRANT_TYPE = NAME
    TOKEN_ENDPOINT_AUTH_METHODS = ["private_key_jwt"]  # noqa: RUF012 -- as Authlib declares it
    request: OAuthRequest

    def validate_token_request(self) -> None:
        """Who asks, and whether it may act for itself. Raises the errors of RFC 6749 §5.2."""
        app = self.server.authenticate_client(self.request, self.TOKEN_ENDPOINT_AUTH_METHODS)
        if NAME not in app.metadata.grant_types or app.state is not AppState.ACTIVE:
            raise UnauthorizedClient

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """The token: what was asked for, as far as the policy goes. Anything that is no system scope is refused."""
        asked = parse(self.request.require("scope"))
        if asked.words or asked.unusable or only(asked, Level.SYSTEM).resources != asked.resources:
            raise InvalidScope
        given = intersect(asked, parse(self.request.app.scope))
        if is_empty(given):
            raise InvalidScope
        scope = text(Scopes(given.resources, v1=asked.v1))
        issued = parts().app_tokens.issue_for_backend(self.request.app, scope, request_id=self.request.reference)
        return 200, answer(self.request, issued), []
