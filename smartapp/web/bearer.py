"""Who asks: the token of the Authorization header, and nothing else (RFC 6750 §2.1)."""

import re
from dataclasses import dataclass
from typing import Final

from flask import request

from smartapp.consent.model import AppPrincipal
from smartapp.errors import NotSignedIn
from smartapp.identity.model import Principal
from smartapp.web import limits, misuse
from smartapp.web.parts import parts
from smartapp.web.reference import request_id

_HEADER: Final = re.compile(r"Bearer ([0-9A-Za-z._~+/-]{16,256}=*)")
_OF_APPS: Final = "sat_"


@dataclass(frozen=True)
class Asker:
    """Who asks, and which study the token is for: None where it reaches what the principal may reach."""

    principal: Principal
    study_uid: str | None = None

    def reaches(self, study_uid: str) -> bool:
        """Whether the study may be asked for with it. What the record holds is decided elsewhere, at each request."""
        return self.study_uid is None or self.study_uid == study_uid


def app_principal(provider: str) -> AppPrincipal:
    """The app whose access token the request carries.

    It counts against the grant's limits: TooMany. NotSignedIn if there is no token, more than one, one of another
    hospital or of another kind; GrantHeld where the patient's grant stands and serves nothing for now.
    """
    raw = _token(provider)
    if not raw.startswith(_OF_APPS):
        misuse.tell(provider)
        raise NotSignedIn("token")
    try:
        found = parts().app_tokens.lookup(provider, raw, request_id=request_id())
    except NotSignedIn:
        misuse.tell(provider)
        raise
    if found.patient.provider != provider:
        raise NotSignedIn("token")
    limits.hold(found)
    return found


def asker(provider: str) -> Asker:
    """Who asks the DICOMweb service: a viewer's page, or an app. As `app_principal`, for both kinds of tokens."""
    raw = _token(provider)
    if raw.startswith(_OF_APPS):
        return Asker(app_principal(provider))
    try:
        found = parts().viewer_tokens.lookup(raw)
    except NotSignedIn:
        misuse.tell(provider)
        raise
    if found.principal.patient.provider != provider:
        raise NotSignedIn("token")
    return Asker(found.principal, found.study_uid)


def _token(provider: str) -> str:
    """The one token. Cookies and the address are not looked at.

    Two Authorization headers reach us joined by a comma, which is no token.
    """
    match = _HEADER.fullmatch(request.headers.get("Authorization", ""))
    if match is None:
        misuse.tell(provider)
        raise NotSignedIn("token")
    return match[1]
