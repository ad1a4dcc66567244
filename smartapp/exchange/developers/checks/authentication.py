"""How the app will show that it is itself (RFC 7591 §2, SMART App Launch 2.2, client authentication)."""

from typing import Final, cast

from smartapp.exchange.developers.checks.grant_types import BACKEND
from smartapp.exchange.developers.reading import Document, text
from smartapp.exchange.developers.refusal import RegistrationRefused
from smartapp.identity.apps.model import AuthMethod

_FIELD: Final = "token_endpoint_auth_method"
_OFFERED: Final = ("none", "client_secret_basic", "private_key_jwt")


def read(document: Document, grants: tuple[str, ...]) -> AuthMethod:
    """The method; `client_secret_basic` when none is said. Backend services have a key, never a secret (SMART 2.2)."""
    asked = text(document, _FIELD) or "client_secret_basic"
    if asked not in _OFFERED:
        raise RegistrationRefused(_FIELD, "offered")
    if BACKEND in grants and asked != "private_key_jwt":
        raise RegistrationRefused(_FIELD, "backend")
    return cast("AuthMethod", asked)
