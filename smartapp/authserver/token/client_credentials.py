"""A token for a service that acts for itself (SMART App Launch 2.2, backend services): within the operator's policy."""

from typing import Any, Final

from authlib.oauth2.rfc6749 import BaseGrant, TokenEndpointMixin

from smartapp.audit.model import Event
from smartapp.authserver.errors import InvalidScope, UnauthorizedClient
from smartapp.authserver.requests import OAuthRequest
from smartapp.authserver.token.answer import answer
from smartapp.consent.scopes.algebra import contains
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
        """The token for what was asked. Anything that is no system scope, or is beyond the policy, is refused: silently
        less would look like less data.
        """
        app = self.request.app
        asked = parse(self.request.require("scope"))
        if not _within(asked, parse(app.scope)):
            self._tell()
            raise InvalidScope
        issued = parts().app_tokens.issue_for_backend(app, text(asked), request_id=self.request.reference)
        return 200, answer(app, issued), []

    def _tell(self) -> None:
        request = self.request
        detail = {"client": request.app.client_id}
        event = Event("token.scope_denied", provider=request.provider, detail=detail, request_id=request.reference)
        parts().audit.record(event)


def _within(asked: Scopes, policy: Scopes) -> bool:
    """Whether all of it is for services, and allowed. A word (`openid`, `offline_access`) is for people."""
    if asked.words or asked.unusable or not asked.resources:
        return False
    return all(each.level is Level.SYSTEM for each in asked.resources) and contains(policy, asked)
