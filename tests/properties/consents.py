"""Consents on file that keep something from apps, and what each of them means."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.consent.directives.made import TYPES, V3, actor, consent
from tests.threats.composed import BASE

Json = dict[str, Any]
CLIENTS = f"{BASE}/st-elsewhere/clients"
RANKS = "ULMNRV"
"""Confidentiality, from unrestricted to very restricted; what has none of these labels counts as N."""


@dataclass(frozen=True)
class Denial:
    """Each that is given narrows it. `actor`: the app that asks (`me`) or `another`; `type` of resource; from which
    confidentiality on (`rank`); `one` study by its UID, or report by its reference. `excepted`: a permission for the
    app that asks stands in it. It holds from `start` until `end`.
    """

    actor: str = ""
    type: str = ""
    rank: str = ""
    one: str = ""
    excepted: bool = False
    start: datetime | None = None
    end: datetime | None = None

    def speaks(self, at: datetime) -> bool:
        """Whether it says anything to the app that asks, at that moment."""
        began, over = self.start is None or at >= self.start, self.end is not None and at >= self.end
        return self.actor != "another" and not self.excepted and began and not over

    def keeps_study(self, uid: str, labels: Collection[str]) -> bool:
        return self.type in {"", "ImagingStudy"} and self.one in {"", uid} and self._reaches(labels)

    def keeps_report(self, id_: str, labels: Collection[str]) -> bool:
        """Whether it keeps a report of a study with these labels, which has no others."""
        named = self.one in {"", f"DiagnosticReport/{id_}"}
        return self.type in {"", "DiagnosticReport"} and named and self._reaches(labels)

    @property
    def keeps_person(self) -> bool:
        return not (self.type or self.rank or self.one)

    def _reaches(self, labels: Collection[str]) -> bool:
        told = max((RANKS.index(each) for each in labels if each in RANKS), default=RANKS.index("N"))
        return not self.rank or told >= RANKS.index(self.rank)

    def resource(self, id_: str, app: str) -> Json:
        """As the EHR has it; `app` is the client id of the app that asks."""
        provision: Json = {"type": "deny"}
        if self.actor:
            provision["actor"] = [_device(app if self.actor == "me" else "another-app")]
        if self.type:
            provision["class"] = [{"system": TYPES, "code": self.type}]
        if self.rank:
            provision["securityLabel"] = [{"system": V3, "code": self.rank}]
        if self.one:
            identifier = {"system": "urn:dicom:uid", "value": f"urn:oid:{self.one}"}
            reference = {"reference": self.one} if "/" in self.one else {"identifier": identifier}
            provision["data"] = [{"meaning": "instance", "reference": reference}]
        if self.excepted:
            provision["provision"] = [{"type": "permit", "actor": [_device(app)]}]
        if bounds := {name: at for name, at in (("start", self.start), ("end", self.end)) if at is not None}:
            provision["period"] = {name: f"{at:%Y-%m-%dT%H:%M:%SZ}" for name, at in bounds.items()}
        return consent(provision, id=id_)


def _device(client_id: str) -> Json:
    return actor(type="Device", identifier={"system": CLIENTS, "value": client_id})
