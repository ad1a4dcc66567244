"""What a token is good for, told to the app that holds it (RFC 7662)."""

from typing import Any

from authlib.oauth2.rfc6749 import TokenEndpoint

from smartapp.authserver import addresses
from smartapp.authserver.client_auth import CONFIDENTIAL, says_who
from smartapp.authserver.errors import InvalidClient
from smartapp.authserver.id_token.claims import about
from smartapp.authserver.requests import OAuthRequest
from smartapp.authserver.token.answer import context
from smartapp.tokens.apps.model import TokenState
from smartapp.web.parts import parts


class Introspection(TokenEndpoint):
    """For clients that can show who they are, about their own tokens. Of any other nothing is said but `inactive`."""

    ENDPOINT_NAME = "introspection"
    CLIENT_AUTH_METHODS = list(CONFIDENTIAL)  # noqa: RUF012 -- as Authlib declares it

    def create_endpoint_response(self, request: OAuthRequest) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """RFC 7662 §2.2. InvalidClient also for who does not say who it is: a scan of tokens is to stop here (§2.1)."""
        if not says_who(request):
            raise InvalidClient("client.auth.none")
        app = self.authenticate_endpoint_client(request)
        state = parts().app_tokens.introspect(request.provider, request.require("token"))
        active = state is not None and state.client_id == app.client_id
        return 200, _told(request.provider, state) if active and state else {"active": False}, []


def _told(provider: str, state: TokenState) -> dict[str, Any]:
    said: dict[str, Any] = {
        "active": True,
        "scope": state.scope,
        "client_id": state.client_id,
        "token_type": "Bearer" if state.kind == "access" else "refresh_token",
        "iat": int(state.issued_at.timestamp()),
        "exp": int(state.expires_at.timestamp()),
        "iss": addresses.issuer(provider),
    }
    if state.grant is None:
        return {**said, "sub": state.client_id}
    return {
        **said,
        **about(provider, state.grant, state.scope),
        **(context(provider, state.family, state.grant) if state.family else {}),
    }
