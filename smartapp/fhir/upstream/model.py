"""What we read of the EHR's resources. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Fetched(Generic[T]):
    """What a search gave. `problems` are stable codes of what could not be read (`ehr-paging`,
    `ImagingStudy-unreadable`): with any, `items` may lack something, and that is to be said.
    """

    items: T
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Identifier:
    """A business identifier; `use` is `usual`, `official`, `old`, … or empty."""

    system: str
    value: str
    use: str = ""


@dataclass(frozen=True)
class PatientLink:
    """Another record of the same person: `type` is `replaces`, `replaced-by`, `refer` or `seealso`."""

    type: str
    patient_id: str


@dataclass(frozen=True)
class PatientRecord:
    """A Patient. `name` is how to address the person; `names` are all of them. `raw` is the resource as it came.

    `active` is False only where the EHR says so.
    """

    id: str
    name: str
    names: tuple[str, ...]
    birth_date: date | None
    active: bool
    identifiers: tuple[Identifier, ...]
    links: tuple[PatientLink, ...]
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Accession:
    """An accession number and the system of who issued it (empty when the EHR does not say)."""

    system: str
    value: str


@dataclass(frozen=True)
class BodySite:
    """A part of the body: a code (mostly SNOMED CT; empty when there is none) and words."""

    code: str
    words: str


@dataclass(frozen=True)
class SeriesFacts:
    """A series as the EHR tells it."""

    uid: str
    number: int | None
    modality: str
    description: str
    body_site: BodySite | None
    instance_count: int


@dataclass(frozen=True)
class ImagingStudyFacts:
    """An ImagingStudy. `subject` is the patient's id, `based_on` are relative references, `started` is aware; a date
    without a time is midnight at the hospital. `labels` are its security labels as `system|code`.
    """

    id: str
    uid: str
    subject: str
    status: str
    started: datetime | None
    description: str
    modalities: tuple[str, ...]
    body_sites: tuple[BodySite, ...]
    series_count: int
    instance_count: int
    series: tuple[SeriesFacts, ...]
    accessions: tuple[Accession, ...]
    based_on: tuple[str, ...]
    place: str
    labels: frozenset[str] = frozenset()
    marks: frozenset[str] = frozenset()
    """Its labels and its tags, in the same form."""
    coded: frozenset[str] | None = None
    """Every code in it, in the same form; None: too many."""


@dataclass(frozen=True)
class ReportAttachment:
    """A file of a report; `index` is its place in `presentedForm`. To be downloaded, never shown inline."""

    index: int
    content_type: str
    title: str


@dataclass(frozen=True)
class ReportFacts:
    """A DiagnosticReport, as the index needs it. `subject` is the patient's id; `imaging_study_refs` are ids of
    ImagingStudy, `study_uids` are studies named by UID instead, `based_on` relative references. `imaging`: the report
    itself says that it is about pictures. Times are aware. `labels` as for a study.
    """

    id: str
    subject: str
    status: str
    issued: datetime | None
    effective: datetime | None
    title: str
    imaging: bool
    imaging_study_refs: tuple[str, ...]
    study_uids: tuple[str, ...]
    based_on: tuple[str, ...]
    accessions: tuple[Accession, ...]
    labels: frozenset[str] = frozenset()
    marks: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    """The codes of its category and of its own code."""
    category_codings: tuple[str, ...] = ()
    codings: tuple[str, ...] = ()
    """Its own code, as `system|code`; `category_codings` likewise."""
    performers: tuple[str, ...] = ()
    """Who read it and for whom, as relative references to Practitioner or Organization."""
    forms: tuple[ReportAttachment, ...] = ()
    """The files that come with it and that this EHR has."""
    updated: datetime | None = None
    """When the EHR says that it changed last."""
    names_others: bool = False
    """Something in it names another patient, or somebody we cannot tell from one (threat A18)."""
    coded: frozenset[str] | None = None
    """Every code in it, as `system|code`; None: too many."""


@dataclass(frozen=True)
class Observation:
    """One finding of a report, in words."""

    name: str
    value: str
    status: str


@dataclass(frozen=True)
class ReportDocument:
    """A report to be read. `texts` are plain; `narrative_html` is clean XHTML without pictures, styles and links out.

    `problems` are stable codes of parts that could not be read.
    """

    id: str
    status: str
    issued: datetime | None
    effective: datetime | None
    title: str
    conclusion: str
    performers: tuple[str, ...]
    observations: tuple[Observation, ...]
    texts: tuple[str, ...]
    narrative_html: str
    attachments: tuple[ReportAttachment, ...]
    problems: tuple[str, ...] = ()
