"""`aud`: whose data the token is for (SMART App Launch 2.2). It keeps a token from being asked of us for another."""

from smartapp.authserver import addresses
from smartapp.authserver.authorize.asking import Asking
from smartapp.authserver.authorize.refusals import AnswerRefused


def check(asking: Asking) -> None:
    """Our FHIR base at this hospital; a slash at the end makes it no other place."""
    if asking.get("aud").removesuffix("/") != addresses.fhir_base(asking.provider):
        raise AnswerRefused("invalid_request", "audience", "aud must be the FHIR base URL of this server.")
