"""Pending launches: sealed, taken once, good for ten minutes, bound to one browser."""

import json
from dataclasses import asdict

from smartapp.launch.model import Metadata, PendingFlow
from smartapp.tokens.single_use import SingleUse

KIND = "smart-launch"
LIFETIME = 600


class Flows:
    """Keeps what we must remember while the person signs in at the EHR."""

    def __init__(self, single_use: SingleUse) -> None:
        self._single_use = single_use

    def put(self, state: str, flow: PendingFlow) -> None:
        """Remembers `flow` under `state` for ten minutes."""
        self._single_use.put(KIND, state, LIFETIME, json.dumps(asdict(flow)).encode())

    def take(self, state: str) -> PendingFlow | None:
        """The flow of this `state`, once; None when there is none, or it was taken, or it is too old."""
        raw = self._single_use.take(KIND, state)
        if raw is None:
            return None
        found = json.loads(raw)
        metadata = Metadata(**found.pop("metadata"))
        return PendingFlow(**{**found, "asked": tuple(found["asked"])}, metadata=metadata)
