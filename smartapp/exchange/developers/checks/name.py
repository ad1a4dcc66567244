"""What the app is called: patients decide by it, so it must be readable and nobody else's."""

import unicodedata
from typing import Final

from smartapp.exchange.developers.checks.rules import Rules
from smartapp.exchange.developers.reading import Document, text
from smartapp.exchange.developers.refusal import RegistrationRefused

_LONGEST: Final = 80


def read(document: Document, rules: Rules) -> str:
    """The name, in composed form (NFC), with single spaces. Markup signs and a hospital's own name are refused."""
    written = " ".join(unicodedata.normalize("NFC", text(document, "client_name", longest=_LONGEST)).split())
    if not written:
        raise RegistrationRefused("client_name", "missing")
    if set(written) & set("<>") or not any(sign.isalnum() for sign in written):
        raise RegistrationRefused("client_name", "text")
    if _plain(written) in {_plain(each) for each in rules.names}:
        raise RegistrationRefused("client_name", "taken")
    return written


def _plain(name: str) -> str:
    """Without what readers pass over: case, width, accents, everything but letters and digits."""
    folded = unicodedata.normalize("NFKD", name).casefold()
    return "".join(sign for sign in folded if sign.isalnum())
