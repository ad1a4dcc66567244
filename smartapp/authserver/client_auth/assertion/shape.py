"""The shape of an assertion, before any key is looked for (RFC 7515 §3.1; RFC 8725 §3)."""

import re
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from typing import Any, Final

from smartapp.authserver.errors import InvalidClient
from smartapp.outbound.strict_json import read_json

MAX_LENGTH: Final = 16 * 1024
_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")
_MALFORMED: Final = "client.auth.malformed"


@dataclass(frozen=True)
class Jws:
    """A compact JWS, not yet verified."""

    compact: str = field(repr=False)
    header: dict[str, Any] = field(repr=False)
    claims: dict[str, Any] = field(repr=False)


def read(assertion: str) -> Jws:
    """The parts of `assertion`. Raises InvalidClient for another serialization, for more than 16 KiB, and for JSON
    that can be read in two ways.
    """
    if len(assertion) > MAX_LENGTH:
        raise InvalidClient(_MALFORMED)
    found = _COMPACT.fullmatch(assertion)
    if found is None:
        raise InvalidClient(_MALFORMED)
    return Jws(assertion, _object(found[1]), _object(found[2]))


def _object(segment: str) -> dict[str, Any]:
    try:
        read = read_json(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)).decode("utf-8"))
    except ValueError:
        raise InvalidClient(_MALFORMED) from None
    if not isinstance(read, dict):
        raise InvalidClient(_MALFORMED)
    return read
