"""What is known of studies, series and reports when a question about them is put. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from smartapp.identity.model import PatientKey

if TYPE_CHECKING:
    from smartapp.consent.directives.onfile import OnFile


@dataclass(frozen=True)
class SeriesFacts:
    """A series, as the PACS has it. `modality` is its DICOM code, empty when unknown.

    `body_sites` are all that EHR and PACS call its part of the body (SNOMED CT codes, DICOM keywords): none means
    unknown, and two that are different places contradict each other.
    """

    uid: str
    modality: str
    body_sites: frozenset[str] = frozenset()


@dataclass(frozen=True)
class StudyFacts:
    """What is known of one study when the question is put.

    `owners` are the patients that the sources name for it (the EHR by subject, the PACS by PatientID matched to an
    identifier); empty when no source names one that we know. `started` is the date at the hospital.
    """

    uid: str
    owners: frozenset[PatientKey]
    started: date | None
    modalities: frozenset[str]
    body_sites: frozenset[str]
    contradicted: bool = False
    """True when a source says the study is somebody else's (a foreign PatientID, another subject)."""
    labels: frozenset[str] = frozenset()
    """The EHR's security labels of the study and its reports, as `system|code`. They hide nothing from the patient."""
    series: tuple[SeriesFacts, ...] = ()
    """Its series where they are known: then kinds and body parts are judged by them, and not by the study's own."""
    status: str = ""
    """ImagingStudy.status, as we show it; empty when unknown."""
    identifiers: frozenset[str] = frozenset()
    """Its other identifiers, as `system|value`, so far as we show them."""
    resources: frozenset[str] = frozenset()
    """The EHR's own resources of it, as relative references."""
    coded: frozenset[str] | None = None
    """Every code in those, as `system|code`; None where there are none, or too many."""
    reports: tuple[ReportKnown, ...] = ()
    """Its reports."""
    on_file: OnFile | None = None
    """The Consents of its patient that the hospital has on file; None where it is not asked for any. They keep nothing
    from people."""


@dataclass(frozen=True)
class ReportKnown:
    """A report, as a scope's filters ask of it. `id` is the one we show; codes are `system|code`.

    `date` is its day at the hospital (DiagnosticReport.effective), `status` the one we show. `labels` are needed of a
    report that belongs to no study; those of other reports are in their study's.
    """

    id: str
    categories: frozenset[str]
    code: frozenset[str]
    date: date | None
    status: str
    labels: frozenset[str] = frozenset()
    coded: frozenset[str] | None = None
    """Every code in it, as `system|code`; None where that is not known, or too many."""
