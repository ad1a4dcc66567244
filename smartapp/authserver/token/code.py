"""A code for tokens (RFC 6749 §4.1.3, RFC 7636 §4.5). What counts is decided where codes are stored, in one step."""

from typing import Any, Final

from authlib.oauth2.rfc6749 import BaseGrant, TokenEndpointMixin

from smartapp.authserver.client_auth import METHODS
from smartapp.authserver.errors import InvalidGrant, UnauthorizedClient
from smartapp.authserver.requests import OAuthRequest
from smartapp.authserver.token.answer import answer
from smartapp.errors import CodeRefused
from smartapp.web.parts import parts

NAME: Final = "authorization_code"


class AuthorizationCode(BaseGrant, TokenEndpointMixin):
    """Authlib's own grant is not used: it redeems in two steps, and asks for a verifier only where it likes."""

    GRANT_TYPE = NAME
    TOKEN_ENDPOINT_AUTH_METHODS = list(METHODS)  # noqa: RUF012 -- as Authlib declares it
    request: OAuthRequest

    def validate_token_request(self) -> None:
        """Who asks, and that there is a code. Raises the errors of RFC 6749 §5.2.

        What has to come with it may be missing: that is a wrong one, and burns the code, which was seen without it.
        """
        app = self.server.authenticate_client(self.request, self.TOKEN_ENDPOINT_AUTH_METHODS)
        if NAME not in app.metadata.grant_types:
            raise UnauthorizedClient
        self.request.require("code")

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """The tokens; InvalidGrant for whatever is wrong with the code."""
        request = self.request
        try:
            issued = parts().app_tokens.redeem(
                request.provider,
                request.require("code"),
                client_id=request.app.client_id,
                redirect_uri=request.form.get("redirect_uri", ""),
                verifier=request.form.get("code_verifier", ""),
                request_id=request.reference,
            )
        except CodeRefused as error:
            raise InvalidGrant from error
        return 200, answer(request.app, issued), []
