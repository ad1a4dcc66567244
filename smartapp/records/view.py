"""What of a study somebody sees: which series and instances, and how they are shown."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from smartapp.audit.model import Severity
from smartapp.consent.model import Action, AppPrincipal
from smartapp.dicomweb.core.deidentify.rows import metadata_row, searched_row
from smartapp.dicomweb.core.dicomjson import Row, get, number, retrieve_url, tag
from smartapp.dicomweb.core.uids import parse_uid
from smartapp.errors import NotFound
from smartapp.identity.model import Principal
from smartapp.records.addresses import Addresses
from smartapp.records.contents import Listed, is_paper_modality
from smartapp.records.documents import Documents, StudyAt
from smartapp.records.gate import Gate
from smartapp.records.release import Judge
from smartapp.records.showable import Pictured

_MODALITIES, _UID = tag("ModalitiesInStudy"), "SeriesInstanceUID"
_SERIES, _INSTANCES = tag("NumberOfStudyRelatedSeries"), tag("NumberOfStudyRelatedInstances")
_IN_SERIES = tag("NumberOfSeriesRelatedInstances")
_UNKNOWN = ("", "", "")


LeftOut = Callable[[], None]
"""Is told when part of what was asked for is held back, and so not in the answer."""


def nobody() -> None:
    """Who is not told."""


@dataclass(frozen=True)
class Seen:
    """The series of a study that somebody sees, by their own rows. `whole`: nothing of the study is held back.

    `retrievable` are the UIDs (ours to ask by) of the series that may be had without a gap.
    """

    rows: tuple[Row, ...]
    retrievable: tuple[str, ...]
    whole: bool

    @property
    def uids(self) -> tuple[str, ...]:
        """Their UIDs."""
        return tuple(get(row, _UID) for row in self.rows)


class View:
    """Says what is seen. One per process; safe to share by threads.

    People see everything but the documents of a study whose report is held back. An app sees, besides, only the series
    that its grant reaches; under a de-identified one only pictures of which it is known that no name stands in them,
    and all of it under other UIDs, which are found by computing those of what is seen.
    """

    def __init__(self, gate: Gate, documents: Documents, released: Judge, base_url: str) -> None:
        self._gate = gate
        self._documents = documents
        self.released = released
        self._base_url = base_url

    def open(self, principal: Principal, study: str, action: Action, request_id: str) -> StudyAt:
        """The study, with a permit to see its images. NotFound if the PACS has none of them."""
        permit, index, found = self._gate.study(principal, study, action, request_id)
        if not found.images_available:
            raise NotFound
        return StudyAt(permit, index.ids, found, self.addresses(principal), request_id)

    def addresses(self, principal: Principal) -> Addresses:
        """Our addresses at the principal's hospital."""
        return Addresses(self._base_url, principal.patient.provider)

    def seen(self, at: StudyAt) -> Seen:
        """The series that are seen, in their order."""
        rows = self._documents.series(at)
        kept = self._kept(at, rows)
        gaps = {uid for uid, one in _pictures(at).items() if at.deidentified and one.showable < one.total}
        retrievable = tuple(uid for uid in (get(row, _UID) for row in kept) if uid not in gaps)
        return Seen(kept, retrievable, len(retrievable) == len(rows))

    def told(self, at: StudyAt, left_out: LeftOut) -> Seen:
        """As `seen`; `left_out` is told if something of the study is held back."""
        seen = self.seen(at)
        if not seen.whole:
            left_out()
        return seen

    def outline(self, at: StudyAt) -> tuple[Row, ...]:
        """Their rows. Of a de-identified study those of which it is known that a picture may be shown."""
        return self._kept(at, self._documents.series(at))

    def _kept(self, at: StudyAt, rows: Sequence[Row]) -> tuple[Row, ...]:
        held_back = bool(self.released(at.permit.principal, at.study).withheld)
        kept = tuple(row for row in rows if self._reached(at, row) and not (held_back and self._is_of_papers(at, row)))
        left_out = {at.study.uid: len(rows) - len(kept)}
        self._gate.left_out(at.permit.principal, at.permit, "series", left_out, at.request_id)
        return kept

    def series(self, at: StudyAt, asked: str) -> str:
        """The UID of a series that is seen, asked for as it is shown. NotFound, written down, for any other."""
        parse_uid(asked)
        if at.permit.reach is None:
            if not self._is_there(at, asked):
                self._refuse(at, f"series {at.study.uid} {asked}", "high")
            if asked in self.papers_of(at):
                self._refuse(at, f"series {at.study.uid} {asked}")
            return asked
        found = next((uid for uid in self.seen(at).uids if at.shown(uid) == asked), None)
        if found is None:
            held_back = any(at.shown(get(row, _UID)) == asked for row in self._documents.series(at))
            self._refuse(at, f"series {at.study.uid} {asked}", "info" if held_back else "high")
        return found

    def instances(self, at: StudyAt, series: str) -> tuple[Listed, ...]:
        """The instances that are seen of a series that is."""
        listed = self._documents.contents(at, series).instances
        return tuple(each for each in listed if each.showable) if at.deidentified else listed

    def instance(self, at: StudyAt, series: str, asked: str) -> Listed:
        """An instance of a series that is seen, asked for as it is shown. NotFound, written down, for any other."""
        parse_uid(asked)
        if at.deidentified:
            found = next((each for each in self.instances(at, series) if at.shown(each.sop) == asked), None)
        else:
            found = self._documents.contents(at, series).find(asked)
        if found is None:
            self._refuse(at, f"instance {at.study.uid} {series} {asked}")
        return found

    def document(self, at: StudyAt, series: str) -> bytes:
        """The metadata of the instances that are seen, as a DICOM JSON array."""
        found = self._documents.metadata(at, series)[1]
        if not at.deidentified:
            return found
        kept = {each.sop for each in self.instances(at, series)}
        rows = [row for row in json.loads(found) if get(row, "SOPInstanceUID") in kept]
        return json.dumps([self.row(at, row) for row in rows], separators=(",", ":")).encode()

    def row(self, at: StudyAt, row: dict[str, Any]) -> dict[str, Any]:
        """The metadata of an instance as they are shown."""
        if not at.deidentified:
            return row
        shown = metadata_row(row, at.shown)
        address = at.addresses.of(*(get(shown, f"{level}InstanceUID") for level in ("Study", "Series", "SOP")))
        for name, element in shown.items():
            if "BulkDataURI" in element:
                shown[name] = {**element, "BulkDataURI": f"{address}/bulkdata/{name}"}
        return shown | retrieve_url(address)

    def study_row(self, at: StudyAt, rows: Sequence[Row]) -> dict[str, Any]:
        """The study's row for a search, with what its seen series come to."""
        row = dict(at.study.row)
        if at.permit.reach is not None:
            row.update(_counted([self.counted(at, each) for each in rows]))
        if at.deidentified:
            row = searched_row(row, at.shown)
        return row | retrieve_url(at.addresses.of(at.shown(at.study.uid)))

    def series_row(self, at: StudyAt, study: Row, row: Row) -> dict[str, Any]:
        """A series' row for a search, over its study's."""
        uid = get(row, _UID)
        own = self.counted(at, row)
        if at.deidentified:
            own = searched_row(own, at.shown)
        return {**study, **own, **retrieve_url(at.addresses.of(at.shown(at.study.uid), at.shown(uid)))}

    @staticmethod
    def counted(at: StudyAt, row: Row) -> dict[str, Any]:
        """A seen series' row, counting the instances that may be had: of a de-identified series, maybe not all."""
        told = _pictures(at).get(get(row, _UID))
        if not at.deidentified or told is None:
            return dict(row)
        return {**row, _IN_SERIES: {"vr": "IS", "Value": [told.showable]}}

    def narrowed(self, at: StudyAt) -> bool:
        """Whether anything of the study may be hidden: then its row is counted anew.

        A grant that shows a series of unknown kind and place narrows by neither.
        """
        facts = at.study.facts(at.patient)
        anything = at.permit.shows_series(facts, at.study.series_facts(*_UNKNOWN))
        return at.deidentified or not anything or bool(self.released(at.permit.principal, at.study).withheld)

    def papers_of(self, at: StudyAt) -> frozenset[str]:
        """The series of documents while a report of the study is held back: they may say the same. Else none."""
        if not self.released(at.permit.principal, at.study).withheld:
            return frozenset()
        return frozenset(get(row, _UID) for row in self._documents.series(at) if self._is_of_papers(at, row))

    def _is_there(self, at: StudyAt, series: str) -> bool:
        try:
            self._documents.contents(at, series)
        except NotFound:
            return False
        return True

    def _is_of_papers(self, at: StudyAt, row: Row) -> bool:
        """By its modality, or by any instance of it: a document does not get out in a series of pictures."""
        if is_paper_modality(get(row, "Modality")):
            return True
        told = _pictures(at).get(get(row, _UID))
        return told.papers if told is not None else self._documents.contents(at, get(row, _UID)).holds_papers()

    def _reached(self, at: StudyAt, row: Row) -> bool:
        if at.permit.reach is None:
            return True
        if at.deidentified and not ((told := _pictures(at).get(get(row, _UID))) is not None and told.showable):
            return False
        return at.permit.shows_series(at.study.facts(at.patient), at.study.series_of(row))

    def _refuse(self, at: StudyAt, what: str, severity: Severity = "info") -> NoReturn:
        """`high` for a series that is none of the study: it may be another's (threat A2)."""
        self._gate.refuse(at.permit.principal, what, at.request_id, severity)


def _pictures(at: StudyAt) -> Mapping[str, Pictured]:
    """What is known of the study's pictures, where only de-identified ones are shown."""
    return at.study.pictures or {}


def searching(principal: Principal) -> Action:
    """By which right a search within a study is made. A person's page goes on to the pictures: one disclosure."""
    return Action.LIST if isinstance(principal, AppPrincipal) else Action.VIEW_IMAGES


def _counted(rows: Sequence[Row]) -> dict[str, Any]:
    """What the seen series come to. Instances are not counted where the archive does not count those of a series."""
    each = [number(row, "NumberOfSeriesRelatedInstances") for row in rows]
    kinds = sorted({modality for row in rows if (modality := get(row, "Modality"))})
    instances = {"Value": [sum(one or 0 for one in each)]} if None not in each else {}
    return {
        _MODALITIES: {"vr": "CS", "Value": kinds},
        _SERIES: {"vr": "IS", "Value": [len(rows)]},
        _INSTANCES: {"vr": "IS", **instances},
    }
