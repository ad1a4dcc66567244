"""What is found for an app, before it becomes resources; and what an answer is made of. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from smartapp.fhir.upstream.documents import Json
from smartapp.fhir.upstream.model import ReportAttachment
from smartapp.records.model import IndexedStudy, ReportLink

Token = tuple[str, str]
"""(system, code); the system may be empty."""
Moments = tuple[datetime, datetime]
"""From the first, up to and without the second; aware."""


@dataclass(frozen=True)
class StudyItem:
    """A visible study. `modalities` and `sites` are those of it that the app may learn of."""

    id: str
    uid: str
    """As the app is shown it."""
    study: IndexedStudy
    modalities: tuple[str, ...]
    sites: tuple[Token, ...]
    since: Callable[[], datetime | None]
    """When what the app sees of it changed last."""

    @property
    def behind(self) -> tuple[IndexedStudy, ...]:
        """The studies that it tells of."""
        return (self.study,)


@dataclass(frozen=True)
class ReportItem:
    """A visible report, and the studies it belongs to: every one of them is in the grant."""

    link: ReportLink
    studies: tuple[IndexedStudy, ...]

    @property
    def id(self) -> str:
        """The EHR's id, which is ours as well."""
        return self.link.id

    @property
    def behind(self) -> tuple[IndexedStudy, ...]:
        """The studies that it tells of."""
        return self.studies


@dataclass(frozen=True)
class FormItem:
    """A file of a visible report."""

    id: str
    report: ReportItem
    form: ReportAttachment

    @property
    def behind(self) -> tuple[IndexedStudy, ...]:
        """The studies that it tells of."""
        return self.report.studies


@dataclass(frozen=True)
class PlainItem:
    """Something that is a resource already, or the reference by which the EHR gives it.

    `personal`: it says something of the patient. `behind` are the studies whose reports name it.
    """

    id: str
    resource: Json = field(default_factory=dict)
    reference: str = ""
    updated: datetime | None = None
    personal: bool = True
    behind: tuple[IndexedStudy, ...] = ()


Item = StudyItem | ReportItem | FormItem | PlainItem


Mode = Literal["match", "include"]


@dataclass(frozen=True)
class Entry:
    """A resource of an answer: it matched, or was asked for besides."""

    resource: Json
    mode: Mode = "match"


@dataclass(frozen=True)
class Found:
    """One page. `total` counts all that match and are visible; `problems` are codes of what may be missing."""

    entries: tuple[Entry, ...]
    total: int
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class File:
    """A file of a report: its declared media type, its bytes, and when the report changed last."""

    id: str
    content_type: str
    body: bytes
    updated: datetime | None = None
