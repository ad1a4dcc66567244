"""Who asks: a client that is registered at this hospital."""

from smartapp.authserver.authorize.asking import Asking
from smartapp.authserver.authorize.refusals import PageRefused
from smartapp.identity.apps.model import AppState
from smartapp.web.parts import parts


def check(asking: Asking) -> None:
    """Finds the app. One that is deleted is nobody."""
    found = parts().apps.find(asking.provider, asking.get("client_id"))
    if found is None or found.state is AppState.DELETED:
        raise PageRefused("oauth.authorize.reject", "client")
    asking.client = found
