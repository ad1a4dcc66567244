"""What series come to under a grant of de-identified images: learned whenever their metadata pass, and kept.

It says what lists may name. What is handed out is judged anew each time, by the object's own header.
"""

import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Final

from smartapp.clock import Clock
from smartapp.dicomweb.core.cache import InstanceCache
from smartapp.identity.model import PatientKey
from smartapp.records.contents import Contents

FRESH: Final = 600
"""In seconds. Then the archive is asked again, as for everything else it says of a study."""
KEPT: Final = 86400
"""In seconds: so long a list may go by what was found, where asking for everything again would be too much at once."""


@dataclass(frozen=True)
class Pictured:
    """A series: so many of its `total` instances may be shown de-identified, by what their metadata said at `at`
    (seconds since 1970). `papers`: a document is among them.
    """

    showable: int
    total: int
    papers: bool
    at: float


class Showable:
    """Keeps it, a document a study, sealed with the patient's key. One per process; safe to share by threads.

    Two that learn at once may lose what one of them learned: it is then asked for again.
    """

    def __init__(self, cache: InstanceCache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock

    def of(self, patient: PatientKey, name: str) -> dict[str, Pictured]:
        """What is known of the series of the study that is kept under this name, by their UIDs."""
        kept = self._cache.get_blob(patient, name, KEPT)
        oldest = self._clock.now().timestamp() - KEPT
        told: Mapping[str, list[float]] = json.loads(kept) if kept else {}
        found = {uid: Pictured(int(one[0]), int(one[1]), bool(one[2]), one[3]) for uid, one in told.items()}
        return {uid: one for uid, one in found.items() if one.at >= oldest}

    def is_fresh(self, one: Pictured) -> bool:
        """Whether it was found a moment ago."""
        return self._clock.now().timestamp() - one.at <= FRESH

    def learn(self, patient: PatientKey, name: str, series: str, found: Contents | None) -> Pictured:
        """What a series came to now; None: the archive gave nothing that can be told to be of it."""
        instances = found.instances if found is not None else ()
        one = Pictured(
            showable=sum(each.showable for each in instances),
            total=len(instances),
            papers=found is not None and found.holds_papers(),
            at=self._clock.now().timestamp(),
        )
        known = {**self.of(patient, name), series: one}
        document = {uid: astuple(each) for uid, each in known.items()}
        self._cache.put_blob(patient, name, json.dumps(document).encode())
        return one
