"""How id_tokens for the app are signed (OpenID Connect Dynamic Client Registration 1.0 §2)."""

from typing import Final

from smartapp.exchange.developers.reading import Document, text
from smartapp.exchange.developers.refusal import RegistrationRefused
from smartapp.tokens.signing import DEFAULT_ALGORITHM
from smartapp.tokens.signing_files import ALGORITHMS

_FIELD: Final = "id_token_signed_response_alg"


def read(document: Document) -> str:
    """RS256 when nothing is said. Raises RegistrationRefused for one that we do not sign with, `none` above all."""
    asked = text(document, _FIELD) or DEFAULT_ALGORITHM
    if asked not in ALGORITHMS:
        raise RegistrationRefused(_FIELD, "offered")
    return asked
