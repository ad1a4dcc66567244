"""Who asks: the token of the Authorization header, and nothing else (RFC 6750 §2.1)."""

import re
from typing import Final

from flask import request

from smartapp.errors import NotSignedIn
from smartapp.tokens.viewer import ViewerGrant
from smartapp.web.parts import parts
from smartapp.web.requests import request_id

_HEADER: Final = re.compile(r"Bearer ([0-9A-Za-z._~+/-]{16,256}=*)")


def grant(provider: str) -> ViewerGrant:
    """What the request's token stands for. NotSignedIn if there is none, more than one, or one of another hospital.

    Cookies and the address are not looked at. Two Authorization headers reach us joined by a comma, which is no token.
    """
    match = _HEADER.fullmatch(request.headers.get("Authorization", ""))
    if match is None:
        raise NotSignedIn("token")
    found = parts().viewer_tokens.lookup(match[1])
    if found.principal.patient.provider != provider:
        raise NotSignedIn("token")
    return found


def grant_for(provider: str, study: str) -> ViewerGrant:
    """As `grant`; NotFound for a study that the token does not reach, as for one that does not exist."""
    found = grant(provider)
    if not found.reaches(study):
        parts().records.images.outside(found.principal, study, request_id())
    return found
