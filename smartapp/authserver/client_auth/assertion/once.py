"""An assertion counts once, over all workers and restarts (RFC 7523 §3, item 7)."""

from datetime import UTC, datetime
from typing import Final

from smartapp.authserver.client_auth.assertion.claims import LEEWAY
from smartapp.authserver.client_auth.assertion.shape import Jws
from smartapp.authserver.errors import InvalidClient
from smartapp.authserver.requests import OAuthRequest
from smartapp.identity.apps.model import App
from smartapp.web.parts import parts

_APART: Final = 600
"""Seconds by which the clocks of two workers may differ: none forgets what another would still take."""


def check(request: OAuthRequest, jws: Jws, app: App) -> None:
    """Raises InvalidClient when its `jti` was used before. It is remembered for as long as any worker would
    take it.
    """
    until = datetime.fromtimestamp(jws.claims["exp"] + LEEWAY + _APART, UTC)
    tokens, jti = parts().app_tokens, jws.claims["jti"]
    if not tokens.first_use(app.provider, app.client_id, jti, until, request_id=request.reference):
        raise InvalidClient("client.auth.jti_replay")
