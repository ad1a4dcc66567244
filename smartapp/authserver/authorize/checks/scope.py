"""What is asked: of a patient, within what the app is registered for (SMART App Launch 2.2, scopes)."""

from typing import Final

from smartapp.authserver.authorize.asking import Asking
from smartapp.authserver.authorize.refusals import AnswerRefused
from smartapp.consent.scopes import algebra, grammar
from smartapp.consent.scopes.model import Level

_LONGEST: Final = 8192


def check(asking: Asking) -> None:
    """What is left of the request within the registration, at the level of patients. Nothing left: `invalid_scope`."""
    said = asking.get("scope")
    if not said:
        raise AnswerRefused("invalid_scope", "scope-missing", "scope is missing.")
    if len(said) > _LONGEST:
        raise AnswerRefused("invalid_scope", "scope-long", "scope is too long.")
    met = algebra.intersect(grammar.parse(said), grammar.parse(asking.app.scope))
    scopes = algebra.only(met, Level.PATIENT)
    if not scopes.resources and "openid" not in scopes.words:
        raise AnswerRefused(
            "invalid_scope", "scope-empty", "None of these scopes is registered for this client and offered here."
        )
    asking.scopes = scopes
