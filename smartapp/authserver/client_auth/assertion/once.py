"""An assertion counts once, over all workers and restarts (RFC 7523 §3, item 7)."""

from datetime import UTC, datetime

from smartapp.authserver.client_auth.assertion.claims import LEEWAY
from smartapp.authserver.client_auth.assertion.shape import Jws
from smartapp.authserver.errors import InvalidClient
from smartapp.authserver.requests import OAuthRequest
from smartapp.identity.apps.model import App
from smartapp.web.parts import parts


def check(request: OAuthRequest, jws: Jws, app: App) -> None:
    """Raises InvalidClient when its `jti` was used before. It is remembered for as long as it could be shown again."""
    until = datetime.fromtimestamp(jws.claims["exp"] + LEEWAY, UTC)
    tokens, jti = parts().app_tokens, jws.claims["jti"]
    if not tokens.first_use(app.provider, app.client_id, jti, until, request_id=request.reference):
        raise InvalidClient("client.auth.jti_replay")
