"""Whom the operator writes to about the app (RFC 7591 §2)."""

import re
from typing import Final

from smartapp.exchange.developers.reading import Document, texts
from smartapp.exchange.developers.refusal import RegistrationRefused

MAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII)
LONGEST: Final = 254
_MOST: Final = 5


def read(document: Document) -> tuple[str, ...]:
    """Mail addresses, at most five."""
    found = texts(document, "contacts", most=_MOST, longest=LONGEST)
    if not all(MAIL.fullmatch(each) for each in found):
        raise RegistrationRefused("contacts", "mail")
    return found
