"""Events, and what the trail needs to know of those who ask. Pure.

The trail lies below `identity` and `consent`, so it names only the attributes it reads of their models.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal, Protocol

from smartapp.errors import Reason

Severity = Literal["info", "high"]

EXTENTS: Final = ("summary", "report", "images")
"""The largest amount that a disclosure may come to, from least to most (`consent.model.Extent`)."""

_KIND: Final = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")


class Patient(Protocol):
    """A patient at one hospital (`identity.model.PatientKey`); its text is the name of the patient's data key."""

    @property
    def provider(self) -> str: ...


class Asker(Protocol):
    """Who asks (`identity.model.Principal`)."""

    @property
    def person_id(self) -> str: ...
    @property
    def session_id(self) -> str: ...


class Study(Protocol):
    """A study asked about (`consent.model.StudyFacts`)."""

    @property
    def uid(self) -> str: ...


class Asked(Protocol):
    """A question that was answered with no (`consent.model.Question`)."""

    @property
    def principal(self) -> Asker: ...
    @property
    def patient(self) -> Patient: ...
    @property
    def action(self) -> str: ...
    @property
    def purpose(self) -> str: ...
    @property
    def studies(self) -> Iterable[Study]: ...


class Answered(Protocol):
    """The answer (`consent.model.Decision`)."""

    @property
    def reasons(self) -> Iterable[Reason]: ...


class Outcome(StrEnum):
    """How a disclosure ended. Each has exactly one."""

    SENT = "sent"
    """Everything that was begun was sent; the counters say how much."""
    ABORTED = "aborted"
    """At least one answer was cut short; the counters say how much was sent."""
    UNKNOWN = "unknown"
    """Nobody lived to say: assume the whole extent."""


@dataclass(frozen=True)
class Event:
    """Something to write down.

    `kind` is stable and dotted (`smart.launch`). `principal_ref` and `session_ref` are the ids of the person and the
    session; the row keeps keyed hashes of them. `detail` is sealed, with the patient's data key when there is a
    patient: it may name studies, never tokens or codes. `provider` is needed only when there is no patient.
    ValueError for a kind that is none.
    """

    kind: str
    severity: Severity = "info"
    patient: Patient | None = None
    principal_ref: str = ""
    session_ref: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)
    request_id: str = ""
    provider: str = ""

    def __post_init__(self) -> None:
        if len(self.kind) > 64 or not _KIND.fullmatch(self.kind):
            raise ValueError("an event's kind is lower case words, joined by dots")
