"""Pages that try again by themselves when a hospital's system said how long it takes: without script, for a while."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from flask import current_app, request

from smartapp.web.rules import Rule, rule_of

_LONGEST: Final = 120
"""In seconds. Whoever is told to come back later than that is not kept waiting before a page."""
_TRIES: Final = 6
"""Each try is a request of the session's: a page that nobody looks at must not keep it alive."""
_COUNT: Final = "again"


@dataclass(frozen=True)
class Again:
    """When to try again, and where: the same page, counting its tries."""

    seconds: int
    address: str


def again_after(seconds: int | None) -> Again | None:
    """How the current page is to be asked again `seconds` (Retry-After, RFC 9110 §10.2.3) from now; None if not."""
    tried = request.args.get(_COUNT, 0, type=int)
    if seconds is None or seconds > _LONGEST or not 0 <= tried < _TRIES or not _only_shows():
        return None
    others = [(name, value) for name, value in request.args.items(multi=True) if name != _COUNT]
    return Again(max(seconds, 1), f"{request.path}?{urlencode([*others, (_COUNT, str(tried + 1))])}")


def _only_shows() -> bool:
    """Whether asking twice is asking once: not so for a callback, whose code is spent by the first request."""
    found = rule_of(current_app, request.endpoint) if request.endpoint else None
    return request.method == "GET" and found is Rule.SESSION
