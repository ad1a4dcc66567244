"""The next tokens (RFC 6749 §6): for the same scope or less, and for whom the refresh token was made."""

from collections.abc import Callable
from typing import Any, Final

from authlib.oauth2.rfc6749 import BaseGrant, TokenEndpointMixin

from smartapp.audit.model import Event
from smartapp.authserver.client_auth import METHODS, says_who
from smartapp.authserver.errors import InvalidGrant, InvalidScope
from smartapp.authserver.requests import OAuthRequest
from smartapp.authserver.token.answer import answer
from smartapp.consent.scopes.algebra import contains, is_empty
from smartapp.consent.scopes.grammar import parse, text
from smartapp.errors import RefreshRefused
from smartapp.web.parts import parts

NAME: Final = "refresh_token"


class Refresh(BaseGrant, TokenEndpointMixin):
    """Authlib's own grant is not used: parallel requests would each get a successor of their own."""

    GRANT_TYPE = NAME
    TOKEN_ENDPOINT_AUTH_METHODS = list(METHODS)  # noqa: RUF012 -- as Authlib declares it
    request: OAuthRequest

    def validate_token_request(self) -> None:
        """Who asks. Only a public client may leave out who it is: the family knows, and refuses any other."""
        self.request.require("refresh_token")
        if says_who(self.request):
            self.server.authenticate_client(self.request, self.TOKEN_ENDPOINT_AUTH_METHODS)

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """The tokens. InvalidGrant, or InvalidScope for more than was granted: then nothing is used up."""
        request, named = self.request, self.request.client
        try:
            issued = parts().app_tokens.refresh(
                request.provider,
                request.require("refresh_token"),
                client_id=named.client_id if named else None,
                narrow=_narrow(request.form.get("scope")),
                request_id=request.reference,
            )
        except RefreshRefused as error:
            raise InvalidGrant from error
        except InvalidScope:
            self._tell_of_escalation()
            raise
        app = named or (parts().apps.find(request.provider, issued.family.client_id) if issued.family else None)
        if app is None:  # deleted in between: what was issued opens nothing any more
            raise InvalidGrant
        return 200, answer(app, issued), []

    def _tell_of_escalation(self) -> None:
        request = self.request
        parts().audit.record(
            Event(
                "oauth.refresh.escalate",
                "high",
                provider=request.provider,
                detail={"client": request.client.client_id if request.client else ""},
                request_id=request.reference,
            )
        )


def _narrow(asked: str | None) -> Callable[[str], str]:
    """What of a granted scope the new token is for. Compared by what it reaches, not by how it is written."""

    def narrow(granted: str) -> str:
        if asked is None:
            return granted
        wanted = parse(asked)
        if wanted.unusable or is_empty(wanted) or not contains(parse(granted), wanted):
            raise InvalidScope
        return text(wanted)

    return narrow
