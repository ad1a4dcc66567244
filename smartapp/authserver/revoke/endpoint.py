"""An app gives a token back (RFC 7009)."""

from typing import Any

from authlib.oauth2.rfc6749 import TokenEndpoint

from smartapp.authserver.client_auth import METHODS
from smartapp.authserver.errors import InvalidGrant
from smartapp.authserver.requests import OAuthRequest
from smartapp.errors import TokenOfAnother
from smartapp.web.parts import parts


class Revocation(TokenEndpoint):
    """Any client, for its own tokens. The hint is not needed: a token says what it is."""

    ENDPOINT_NAME = "revocation"
    CLIENT_AUTH_METHODS = list(METHODS)  # noqa: RUF012 -- as Authlib declares it

    def create_endpoint_response(self, request: OAuthRequest) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """RFC 7009 §2.2: 200 also for a token that is none. InvalidGrant for another client's."""
        app = self.authenticate_endpoint_client(request)
        try:
            parts().app_tokens.revoke(
                request.provider, request.require("token"), client_id=app.client_id, request_id=request.reference
            )
        except TokenOfAnother as error:
            raise InvalidGrant from error
        return 200, {}, []
