"""Whether the app may ask people at all: the operator's word, and the grant type it registered for."""

from smartapp.authserver.authorize.asking import Asking
from smartapp.authserver.authorize.refusals import AnswerRefused, PageRefused
from smartapp.identity.apps.model import AppState


def check(asking: Asking) -> None:
    """A pending, refused or suspended app reaches no patient: the page says so, and it is told nothing."""
    app = asking.app
    if app.state is not AppState.ACTIVE:
        raise PageRefused("oauth.authorize.reject", f"app-{app.state}", waiting=True)
    if "authorization_code" not in app.metadata.grant_types:
        raise AnswerRefused("unauthorized_client", "grant-type", "This client is not registered for this grant type.")
