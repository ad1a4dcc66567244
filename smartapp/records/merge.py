"""How what the EHR and the PACS say becomes one index. Pure.

The PACS is the authority on which studies there are, their series and modalities; the EHR on whose they are and on
reports. A study that one of them gives to somebody else is contradicted, and no other word makes it visible again.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Final

from smartapp.consent.facts import SeriesFacts
from smartapp.dicomweb.core.dicomjson import Row, clean, get, number
from smartapp.dicomweb.upstream.model import PacsStudy
from smartapp.fhir.upstream.model import Accession, ImagingStudyFacts, ReportFacts
from smartapp.fhir.upstream.model import SeriesFacts as EhrSeries
from smartapp.records.attributes import Level, returnable
from smartapp.records.model import IndexedStudy, ReportLink, ReportStatus
from smartapp.records.query import texts

_SHOWN: Final[Mapping[str, ReportStatus]] = {
    "final": "final",
    "amended": "amended",
    "corrected": "amended",
    "appended": "amended",
    "preliminary": "preliminary",
    "partial": "preliminary",
}
"""DiagnosticReport.status as a person reads it. Others (registered, cancelled, entered-in-error) are not shown."""


@dataclass(frozen=True)
class _Known:
    """What pairs a report with a study: the EHR's ids of the study, its orders, its accession numbers."""

    ids: frozenset[str]
    orders: frozenset[str]
    accessions: frozenset[Accession]


def merge(
    patient_id: str,
    ehr: Sequence[ImagingStudyFacts],
    pacs: Sequence[PacsStudy],
    reports: Sequence[ReportFacts],
    zone: tzinfo,
) -> tuple[IndexedStudy, ...]:
    """The patient's studies, newest first; those without a date come last. `zone` is the hospital's."""
    told: dict[str, list[ImagingStudyFacts]] = {}
    for study in ehr:
        told.setdefault(study.uid, []).append(study)
    held = {study.uid: study for study in pacs}
    uids = list(dict.fromkeys([*told, *held]))
    known = {uid: _known(told.get(uid, ()), held.get(uid)) for uid in uids}
    paired = pair(known, [report for report in reports if report.subject == patient_id])
    studies = [_study(uid, patient_id, told.get(uid, ()), held.get(uid), paired[uid], zone) for uid in uids]
    return tuple(sorted(studies, key=_newest_first))


def _newest_first(study: IndexedStudy) -> tuple[bool, float, str]:
    return study.started is None, -(study.started.timestamp() if study.started else 0), study.uid


def _known(ehr: Iterable[ImagingStudyFacts], pacs: PacsStudy | None) -> _Known:
    said = tuple(ehr)
    accessions = {each for study in said for each in study.accessions}
    if pacs is not None and (accession := get(pacs.row, "AccessionNumber")):
        accessions.add(Accession("", accession))
    return _Known(
        frozenset(study.id for study in said),
        frozenset(order for study in said for order in study.based_on),
        frozenset(accessions),
    )


def pair(known: Mapping[str, _Known], reports: Iterable[ReportFacts]) -> dict[str, list[ReportFacts]]:
    """Which reports belong to which study: by `imagingStudy`, else by order, else by accession number and issuer.

    A report that names its study belongs to no other. Dates pair nothing: two scans of one day are two scans.
    """
    paired: dict[str, list[ReportFacts]] = {uid: [] for uid in known}
    for report in reports:
        for uid in _belongs_to(known, report):
            paired[uid].append(report)
    return paired


def _belongs_to(known: Mapping[str, _Known], report: ReportFacts) -> list[str]:
    if report.imaging_study_refs or report.study_uids:
        refs, uids = frozenset(report.imaging_study_refs), frozenset(report.study_uids)
        return [uid for uid, study in known.items() if study.ids & refs or uid in uids]
    orders = frozenset(report.based_on)
    if by_order := [uid for uid, study in known.items() if study.orders & orders]:
        return by_order
    return [
        uid
        for uid, study in known.items()
        if not (study.orders and orders) and any(_same(a, b) for a in study.accessions for b in report.accessions)
    ]


def _same(one: Accession, other: Accession) -> bool:
    """One number of one issuer. An archive that names no issuer means the hospital's own, as the EHR does."""
    return one.value == other.value and (not one.system or not other.system or one.system == other.system)


def _study(
    uid: str,
    patient_id: str,
    ehr: Sequence[ImagingStudyFacts],
    pacs: PacsStudy | None,
    reports: Sequence[ReportFacts],
    zone: tzinfo,
) -> IndexedStudy:
    foreign = any(study.subject != patient_id for study in ehr) or (pacs is not None and not pacs.belongs)
    row: Row = pacs.row if pacs is not None else {}
    said = ehr[0] if ehr else None
    shown = [(report, _SHOWN[report.status]) for report in reports if report.status in _SHOWN]
    shown.sort(key=lambda pair_: (pair_[0].issued is None, -(pair_[0].issued.timestamp() if pair_[0].issued else 0)))
    sites = [site for study in ehr for site in study.body_sites]
    return IndexedStudy(
        uid=uid,
        owned=not foreign,
        contradicted=foreign,
        started=_started(row, said, zone),
        description=get(row, "StudyDescription") or (said.description if said else ""),
        modalities=tuple(dict.fromkeys(texts(row, "ModalitiesInStudy"))) or (said.modalities if said else ()),
        body_parts=tuple(dict.fromkeys(site.words for site in sites if site.words)),
        place=get(row, "InstitutionName") or (said.place if said else ""),
        body_sites=tuple(dict.fromkeys(site.code for site in sites if site.code)),
        series_count=_count(row, "NumberOfStudyRelatedSeries", said.series_count if said else 0),
        instance_count=_count(row, "NumberOfStudyRelatedInstances", said.instance_count if said else 0),
        told_series=tuple(dict.fromkeys(_told(series) for study in ehr for series in study.series)),
        reports=tuple(_link(report, status, ehr) for report, status in shown),
        row={tag: element for tag, element in clean(row, lambda _uri: None).items() if tag in returnable(Level.STUDY)},
        labels=tuple(
            sorted(frozenset().union(*(study.labels for study in ehr), *(report.labels for report in reports)))
        ),
        resources=tuple(f"ImagingStudy/{study.id}" for study in ehr),
        coded=_coded(ehr),
    )


def _coded(ehr: Sequence[ImagingStudyFacts]) -> tuple[str, ...] | None:
    """The codes of all; None as soon as those of one are not known, or there is none."""
    told = [study.coded for study in ehr if study.coded is not None]
    return tuple(sorted(frozenset().union(*told))) if told and len(told) == len(ehr) else None


def _told(series: EhrSeries) -> SeriesFacts:
    site = series.body_site
    return SeriesFacts(series.uid, series.modality, frozenset({site.code} if site is not None and site.code else ()))


def _link(report: ReportFacts, status: ReportStatus, ehr: Sequence[ImagingStudyFacts]) -> ReportLink:
    """The report, marked as its study is: what holds back a study holds back what was found in it."""
    return ReportLink(
        id=report.id,
        status=status,
        title=report.title,
        issued=report.issued or report.effective,
        categories=tuple(sorted(report.categories)),
        marks=tuple(sorted(report.marks.union(*(study.marks for study in ehr)))),
        fhir_status=report.status,
        effective=report.effective,
        category_codings=report.category_codings,
        codings=report.codings,
        performers=report.performers,
        forms=report.forms,
        names_others=report.names_others,
        updated=report.updated,
        coded=tuple(sorted(report.coded)) if report.coded is not None else None,
    )


def _count(row: Row, keyword: str, otherwise: int) -> int:
    told = number(row, keyword)
    return told if told is not None and told >= 0 else otherwise


def _started(row: Row, said: ImagingStudyFacts | None, zone: tzinfo) -> datetime | None:
    """When the study began, at the hospital's clock: the PACS's date and time, else the EHR's word."""
    told = said.started.astimezone(zone) if said is not None and said.started is not None else None
    day = _moment(get(row, "StudyDate"), "000000", zone)
    if day is None:
        return told
    time = get(row, "StudyTime").partition(".")[0]
    if not time:
        return told if told is not None and told.date() == day.date() else day
    there = _offset(get(row, "TimezoneOffsetFromUTC")) or zone
    moment = _moment(get(row, "StudyDate"), time.ljust(6, "0"), there)
    return moment.astimezone(zone) if moment is not None else day


def _moment(date: str, time: str, zone: tzinfo) -> datetime | None:
    """A DICOM date and time (PS3.5 §6.2: DA, TM) as a moment, None if they are none."""
    try:
        return datetime.strptime(date + time, "%Y%m%d%H%M%S").replace(tzinfo=zone)
    except ValueError:
        return None


def _offset(text: str) -> tzinfo | None:
    """A Timezone Offset From UTC (`-0500`, PS3.3 §C.12.1.1.8), None if it is none."""
    if not re.fullmatch(r"[+-][0-9]{4}", text, re.ASCII):
        return None
    minutes = int(text[1:3]) * 60 + int(text[3:])
    if minutes >= 24 * 60:
        return None
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def report_status(reports: Sequence[ReportLink]) -> ReportStatus:
    """The word for a whole study: the furthest that any of its reports has come."""
    found = {report.status for report in reports}
    order: tuple[ReportStatus, ...] = ("amended", "final", "preliminary")
    return next((status for status in order if status in found), "none")
