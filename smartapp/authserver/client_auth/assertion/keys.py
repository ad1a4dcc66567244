"""The one key that an assertion names: from the registered set, or from the registered address."""

from flask import current_app

from smartapp.authserver.client_auth import jwk
from smartapp.authserver.client_auth.assertion.shape import Jws
from smartapp.authserver.client_auth.jwk import PublicKey
from smartapp.authserver.client_auth.key_sets import BadKeySet, KeySets
from smartapp.authserver.errors import InvalidClient
from smartapp.identity.apps.model import App
from smartapp.web.parts import parts

_KEY = "smartapp.client-key-sets"


def find(app: App, jws: Jws) -> PublicKey:
    """Raises InvalidClient where no key, or more than one, has the header's `kid` and the algorithm's `kty`."""
    kid, alg = jws.header["kid"], jws.header["alg"]
    if app.metadata.jwks_uri:
        try:
            found = _key_sets().find(app, kid, alg)
        except BadKeySet as error:
            raise InvalidClient(error.kind) from None
    else:
        try:
            found = jwk.fitting(jwk.read_set(app.metadata.jwks), kid, alg)
        except ValueError:
            raise InvalidClient("client.jwks.bad") from None
    if len(found) != 1:
        raise InvalidClient("client.auth.kid")
    return found[0]


def _key_sets() -> KeySets:
    """Those of this application, in this process."""
    made = current_app.extensions.setdefault(_KEY, KeySets(parts().public_door, parts().clock))
    assert isinstance(made, KeySets)  # noqa: S101 -- for the type checker
    return made
