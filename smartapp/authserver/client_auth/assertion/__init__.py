"""A client's signed assertion (RFC 7523 §3; SMART App Launch 2.2, client-confidential-asymmetric): the checks."""

from smartapp.authserver.client_auth.assertion import claims, header, keys, once, signature
from smartapp.authserver.client_auth.assertion.shape import read
from smartapp.authserver.requests import OAuthRequest
from smartapp.identity.apps.model import App


def subject(assertion: str) -> str:
    """Whom the assertion speaks for: nothing of it is verified yet. Raises InvalidClient."""
    return claims.subject(read(assertion))


def check(request: OAuthRequest, assertion: str, app: App) -> None:
    """Raises InvalidClient unless `app` made `assertion` for us, just now, and it was never shown before."""
    jws = read(assertion)
    header.check(jws, app)
    claims.check(request, jws, app)
    key = keys.find(app, jws)
    signature.check(jws, key)
    once.check(request, jws, app)
