"""What an app says when it asks to sign a person out, and what of it holds."""

from dataclasses import dataclass, field
from typing import Final

from authlib.common.urls import add_params_to_uri

from smartapp.authserver import addresses
from smartapp.errors import BadInput
from smartapp.identity.apps.model import App, AppState
from smartapp.web.parts import parts

PARAMETERS: Final[tuple[str, ...]] = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")
_LONGEST: Final = 4096
_NAMED: Final = frozenset({AppState.PENDING, AppState.ACTIVE})


@dataclass(frozen=True)
class Asking:
    """A request that was checked. `app` None: nobody says which app asks, so nobody is sent anywhere."""

    app: App | None
    target: str | None
    """Where the browser goes afterwards: an address that the app registered, exactly, with its `state`."""
    given: dict[str, str] = field(repr=False)


def read(provider: str, values: dict[str, list[str]]) -> Asking:
    """What is asked (§2). Raises BadInput for a parameter said twice, a hint that is not ours or another client's, and
    for a return address that the app did not register: then nobody is sent there.
    """
    addresses.issuer(provider)
    given = {name: _only(values[name]) for name in PARAMETERS if name in values}
    given = {name: value for name, value in given.items() if value}
    app = _app(provider, given)
    wanted = given.get("post_logout_redirect_uri")
    if wanted is None:
        return Asking(app, None, given)
    if app is None or wanted not in app.metadata.post_logout_redirect_uris:
        raise BadInput("oauth.logout.redirect")
    state = given.get("state")
    return Asking(app, add_params_to_uri(wanted, [("state", state)]) if state else wanted, given)


def _app(provider: str, given: dict[str, str]) -> App | None:
    """Named by a token that we signed for it, over or not, or by its id; both must agree."""
    client_id = given.get("client_id")
    if "id_token_hint" in given:
        claims = parts().signing.claims_of(given["id_token_hint"])
        if claims is None or claims.get("iss") != addresses.issuer(provider):
            raise BadInput("oauth.logout.hint")
        if client_id not in {None, claims.get("aud")}:
            raise BadInput("oauth.logout.hint")
        client_id = str(claims.get("aud"))
    found = parts().apps.find(provider, client_id) if client_id else None
    return found if found is not None and found.state in _NAMED else None


def _only(values: list[str]) -> str:
    if len(values) != 1 or len(values[0]) > _LONGEST:
        raise BadInput("oauth.param.duplicate")
    return values[0]
