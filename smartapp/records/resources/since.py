"""Since when a study looks as it does to an app that sees it in part: what is hidden of it must not move its date.
And since when people and places do, of whom nobody says when they changed.

The index knows when a study changed (`records.changes`), hidden series included. So for grants by kind it is kept,
sealed and for each grant, what was shown last and since when. Where that is forgotten it counts as new: an app is told
too much then, and never too little.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from smartapp.clock import Clock
from smartapp.consent.model import AppPrincipal
from smartapp.dicomweb.core.cache import InstanceCache

_LONG: Final = timedelta(days=365).total_seconds()
_RENEWED: Final = timedelta(days=1)
"""How old what is remembered gets before it is written again, so that it outlives the cache's own age."""


class Since:
    """One per process; safe to share by threads."""

    def __init__(self, cache: InstanceCache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock

    def __call__(self, principal: AppPrincipal, of: str, shown: Sequence[Any]) -> datetime:
        """The moment (UTC) since which the app is shown `shown` (plain JSON) of a study (its UID) or of another
        resource (`Type/id`), and nothing else.
        """
        name = f"since {principal.grant_id} {of}"
        digest = hashlib.sha256(json.dumps(shown, sort_keys=True, default=str).encode()).hexdigest()
        now = moment = self._clock.now()
        kept = self._cache.get_blob(principal.patient, name, _LONG)
        if kept is not None:
            before, told, written = json.loads(kept)
            moment = datetime.fromisoformat(told) if before == digest else now
            if before == digest and now - datetime.fromisoformat(written) < _RENEWED:
                return moment
        self._cache.put_blob(
            principal.patient, name, json.dumps([digest, moment.isoformat(), now.isoformat()]).encode()
        )
        return moment
