"""The token answer to a backend service (SMART App Launch 2.2, backend services: the access token)."""

from collections.abc import Mapping, Sequence

from smartapp.launch.checks.token_answer import CODE, read_token_answer
from smartapp.launch.model import SystemAnswer
from smartapp.launch.refusals import refuse

MAX_LIFETIME = 3600
"""In seconds: SMART allows no longer one, and recommends 300."""


def read_system_answer(answer: Mapping[str, object], asked: Sequence[str]) -> SystemAnswer:
    """What we use of the answer, with the scopes that were both asked and granted, which may be none.

    All four fields that SMART requires must be there: what is not said is not taken as given to a client whose tokens
    reach everybody. Whatever else is in it, a refresh token above all, is not kept. Raises Refusal.
    """
    for name in ("expires_in", "scope"):
        if answer.get(name) is None:
            refuse(CODE, name)
    said = read_token_answer(answer, asked)
    return SystemAnswer(said.access_token, min(said.expires_in, MAX_LIFETIME), said.scopes)
