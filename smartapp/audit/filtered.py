"""What was left out of answers: gathered in memory, and told once of each disclosure, with the sum."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from smartapp.audit.model import Asker, Event, Patient

_REMEMBERED: Final = 8192
_WAITING: Final = 1024


@dataclass(slots=True)
class _LeftOut:
    event: Event
    of: dict[str, int] = field(default_factory=dict)


class Filtered:
    """Of one process; safe to share by threads. A disclosure that several processes serve is told of by each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], _LeftOut] = {}
        self._told: OrderedDict[tuple[str, str], None] = OrderedDict()

    def add(
        self, asker: Asker, patient: Patient, what: str, left_out: Mapping[str, int], *, under: str, request_id: str
    ) -> None:
        """So many of `what` were left out, by what they are of (a study; its name is not kept).

        `under` is the disclosure, or empty for a search that disclosed nothing.
        """
        key = (under or request_id, what)
        if not any(left_out.values()) or key in self._told:
            return
        with self._lock:
            found = self._waiting.get(key)
            if found is None:
                if len(self._waiting) >= _WAITING:
                    return
                found = self._waiting[key] = _LeftOut(_event(asker, patient, what, under, request_id))
            found.of |= left_out

    def take(self) -> list[Event]:
        """The rows to be written now: each once."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            for key in waiting:
                self._told[key] = None
            while len(self._told) > _REMEMBERED:
                self._told.popitem(last=False)
        return [
            replace(found.event, detail={**found.event.detail, "withheld": str(sum(found.of.values()))})
            for found in waiting.values()
        ]


def _event(asker: Asker, patient: Patient, what: str, under: str, request_id: str) -> Event:
    return Event(
        "authz.filtered",
        patient=patient,
        principal_ref=asker.person_id,
        session_ref=asker.session_id,
        detail={"what": what, "disclosure": under},
        request_id=request_id,
    )
