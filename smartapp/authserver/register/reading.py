"""What a registering program sends: JSON in the body, and a token in one header."""

import re
from collections.abc import Mapping
from typing import Any, Final

from flask import request

from smartapp.exchange.developers.refusal import RegistrationRefused
from smartapp.outbound.strict_json import read_json

_BEARER: Final = re.compile(r"bearer (?P<token>[A-Za-z0-9._~+/-]{1,500}=*)", re.IGNORECASE | re.ASCII)


def document() -> Mapping[str, Any]:
    """The body, read strictly: a name that comes twice is refused. Raises RegistrationRefused for what is no object."""
    if request.mimetype != "application/json":
        raise RegistrationRefused("", "json")
    try:
        found = read_json(request.get_data().decode("utf-8"))
    except ValueError:
        raise RegistrationRefused("", "json") from None
    if not isinstance(found, dict) or "access_token" in request.args:
        raise RegistrationRefused("", "json")
    return found


def token() -> str:
    """The token of the one Authorization header (RFC 6750 §2.1), else an empty string. It is never read elsewhere."""
    given = request.headers.getlist("Authorization")
    found = _BEARER.fullmatch(given[0]) if len(given) == 1 else None
    return found["token"] if found else ""
