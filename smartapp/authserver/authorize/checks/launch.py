"""`launch`: the value that our own page gave the app when a person opened it there (SMART App Launch 2.2, EHR launch).

The last check, since it spends the value.
"""

import re
from dataclasses import replace
from typing import Final

from smartapp.authserver.authorize.asking import Asking
from smartapp.authserver.authorize.refusals import AnswerRefused
from smartapp.web.parts import parts

_WORD: Final = "launch"
_CHOICE: Final = "launch/patient"
_VALUE: Final = re.compile(r"[A-Za-z0-9._~-]{1,200}", re.ASCII)


def check(asking: Asking) -> None:
    """Value and scope belong together.

    Many apps ask for `launch launch/patient` whichever way they were started: without a value, the patient's own
    sign-in says who it is about, and the word `launch` says nothing.
    """
    value, words = asking.get(_WORD), asking.scopes.words
    if value and _WORD not in words:
        raise AnswerRefused("invalid_request", "launch-scope", "launch was sent without the scope launch.")
    if not value and _WORD in words and _CHOICE not in words:
        raise AnswerRefused("invalid_request", "launch-missing", "The scope launch was asked without a launch value.")
    if value:
        _take(asking, value)
    elif _WORD in words:
        asking.scopes = replace(asking.scopes, words=words - {_WORD})


def _take(asking: Asking, value: str) -> None:
    taken = parts().app_grants.take_launch(value, asking.app.client_id) if _VALUE.fullmatch(value) else None
    if taken is None or taken.patient.provider != asking.provider:
        raise AnswerRefused("invalid_request", "launch-unknown", "The launch value is unknown, used, or too old.")
    asking.launch = taken.bound
    asking.fhir_context = taken.fhir_context
