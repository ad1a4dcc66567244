"""The DICOMweb side: searches, metadata, instances, frames and pictures of the principal's patient."""

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NoReturn

from smartapp.audit.service import AuditTrail
from smartapp.consent.model import Action
from smartapp.dicomweb.core.cache import InstanceCache
from smartapp.dicomweb.core.dicomjson import Row, get, retrieve_url
from smartapp.dicomweb.core.render import PictureType, RenderPool, Window
from smartapp.dicomweb.core.uids import parse_uid
from smartapp.errors import NotFound, PartWithheld, Unrenderable
from smartapp.identity.model import Principal
from smartapp.records.addresses import Addresses
from smartapp.records.bulk import bulk_value
from smartapp.records.contents import Contents, Listed, is_paper_modality
from smartapp.records.documents import Documents, StudyAt
from smartapp.records.flow import flowing
from smartapp.records.frames import EXPLICIT_LE, FrameData, slice_native
from smartapp.records.gate import Gate
from smartapp.records.instances import Instances, Stored, VerifiedInstance, transfer_syntax
from smartapp.records.query import QidoQuery
from smartapp.records.release import Judge

_THUMBNAIL_AGE: Final = 7 * 86400
_RENDERED: Final = 512 * 2**20


class Images:
    """Every method asks the question first, and counts what it gives. Sizes in bytes.

    NotFound for whatever is not the patient's, or not of the study and series it is asked for in: without asking the
    PACS. Raises the `Upstream*` errors, AccessDenied, PermitEnded and AuditUnavailable.
    """

    def __init__(
        self,
        gate: Gate,
        documents: Documents,
        instances: Instances,
        cache: InstanceCache,
        pool: RenderPool,
        audit: AuditTrail,
        base_url: str,
        *,
        released: Judge,
    ) -> None:
        self._gate = gate
        self._documents = documents
        self._instances = instances
        self._cache = cache
        self._pool = pool
        self._audit = audit
        self._base_url = base_url
        self._released = released

    def search_studies(
        self, principal: Principal, query: QidoQuery, request_id: str, *, only: str | None = None
    ) -> list[dict[str, Any]]:
        """The visible studies that match (PS3.18 §10.6); `only` that one, if it is among them."""
        index = self._gate.index(principal, request_id)
        permit = self._gate.listing(principal, index, request_id)
        addresses = self._addresses(principal)
        rows = [
            {**study.row, **retrieve_url(addresses.of(study.uid))}
            for study in index.studies
            if study.uid in permit.studies and study.images_available and only in {None, study.uid}
        ]
        self._audit.count(permit.disclosure_id)
        return query.apply(rows)

    def search_series(
        self, principal: Principal, study: str, query: QidoQuery, request_id: str
    ) -> list[dict[str, Any]]:
        """The series of a study that match."""
        at = self.open_study(principal, study, request_id)
        rows = [self._series_row(at, row) for row in self._visible(at)]
        self._audit.count(at.permit.disclosure_id)
        return query.apply(rows)

    def search_instances(
        self, principal: Principal, study: str, series: str | None, query: QidoQuery, request_id: str
    ) -> list[dict[str, Any]]:
        """The instances of a study, or of one of its series, that match."""
        at = self.open_study(principal, study, request_id)
        rows: list[dict[str, Any]] = []
        for row in self._visible(at):
            uid = get(row, "SeriesInstanceUID")
            if series in {None, uid}:
                above = self._series_row(at, row)
                rows += [{**above, **instance} for instance in json.loads(self._documents.metadata(at, uid)[1])]
        if series is not None and not rows:
            self._gate.refuse(principal, f"series {study} {series}", request_id)
        self._audit.count(at.permit.disclosure_id)
        return query.apply(rows)

    def metadata(self, principal: Principal, study: str, series: str | None, sop: str | None, request_id: str) -> bytes:
        """The metadata of a study, a series or an instance, as a DICOM JSON array (PS3.18 §10.4.1.1.2)."""
        at = self.open_study(principal, study, request_id)
        if series is None:
            parts = [self._documents.metadata(at, uid)[1][1:-1] for uid in self._series_of(at)]
            document = b"[" + b",".join(part for part in parts if part) + b"]"
        elif sop is None:
            self._contents(at, series)
            document = self._documents.metadata(at, series)[1]
        else:
            self.require(at, series, sop)
            document = json.dumps([self._documents.row(at, series, sop)]).encode()
        at.permit.check()
        self._audit.count(at.permit.disclosure_id, bytes=len(document))
        return document

    def retrieve(
        self, principal: Principal, study: str, series: str | None, sop: str | None, request_id: str
    ) -> Generator[VerifiedInstance]:
        """The instances, one after the other; each one's chunks are read before the next one is asked for.

        What is wrong with the request is raised at once; what goes wrong on the way, by the iterator or by the chunks.
        PartWithheld for a whole study of which something is held back.
        """
        at = self.open_study(principal, study, request_id)
        if series is None and self._papers_of(at):
            raise PartWithheld(tuple(self._series_of(at)))
        wanted = self._series_of(at) if series is None else [parse_uid(series)]
        if not wanted:
            raise NotFound
        for uid in wanted:
            self._contents(at, uid)
        if series is not None and sop is not None:
            self.require(at, series, sop)
        return self._sent(at, wanted, sop)

    def frames(
        self,
        principal: Principal,
        study: str,
        series: str,
        sop: str,
        numbers: Sequence[int],
        request_id: str,
        *,
        stored: bool,
    ) -> list[FrameData]:
        """Frames by their numbers, from 1 (PS3.18 §10.4.1.1.4): as they are `stored`, or uncompressed."""
        with self._opened(principal, study, series, sop, request_id) as (at, file):
            listed = self.require(at, series, sop)
            found = slice_native(file, transfer_syntax(file), listed, tuple(numbers))
            if found is None:
                decoded = self._pool.frames(_whole(file), numbers, "raw" if stored else "explicit-le")
                found = [FrameData(each.data, each.transfer_syntax if stored else EXPLICIT_LE) for each in decoded]
            self._count(at, sum(len(each.data) for each in found))
            return found

    def rendered(
        self,
        principal: Principal,
        study: str,
        series: str,
        sop: str,
        number: int,
        request_id: str,
        *,
        window: Window | None,
        viewport: tuple[int, int] | None,
        quality: int,
        kind: PictureType,
    ) -> bytes:
        """One frame as a picture (PS3.18 §10.4.1.1.3)."""
        with self._opened(principal, study, series, sop, request_id) as (at, file):
            picture = self._pool.rendered(
                _whole(file), number, window=window, viewport=viewport, quality=quality, kind=kind
            )
            self._count(at, len(picture))
            return picture

    def bulkdata(self, principal: Principal, study: str, series: str, sop: str, tag: int, request_id: str) -> bytes:
        """One large value of an instance, as its metadata names it (PS3.18 §10.4.1.1.5)."""
        with self._opened(principal, study, series, sop, request_id) as (at, file):
            value = bulk_value(file, transfer_syntax(file), tag)
            self._count(at, len(value))
            return value

    def thumbnail(self, principal: Principal, study: str, series: str, sop: str | None, request_id: str) -> bytes:
        """A small JPEG of an instance, or of the middle one of those in the series that can be looked at."""
        at = self.open_study(principal, study, request_id)
        if sop is None:
            shown = [each.sop for each in self._contents(at, series).instances if each.frames]
            sop = shown[len(shown) // 2] if shown else None
        if sop is None:
            raise NotFound
        self.require(at, series, sop)
        name = f"thumbnail {study} {series} {sop}"
        picture = self._cache.get_blob(at.patient, name, _THUMBNAIL_AGE)
        if picture is None:
            with self._instances.one(at, series, sop) as file:
                picture = self._pool.thumbnail(_whole(file))
            self._cache.put_blob(at.patient, name, picture)
        self._count(at, len(picture))
        return picture

    def outside(self, principal: Principal, study: str, request_id: str) -> NoReturn:
        """A study was asked for which the token does not reach: NotFound, written down."""
        self._gate.refuse(principal, f"study {study}, by a token for another", request_id)

    def open_study(self, principal: Principal, study: str, request_id: str) -> StudyAt:
        """The study, with a permit to see its images. NotFound if the PACS has none of them."""
        permit, index, found = self._gate.study(principal, study, Action.VIEW_IMAGES, request_id)
        if not found.images_available:
            raise NotFound
        return StudyAt(permit, index.ids, found, self._addresses(principal), request_id)

    def _sent(self, at: StudyAt, wanted: Sequence[str], sop: str | None) -> Generator[VerifiedInstance]:
        with flowing(self._audit, at.permit) as flow:
            for series in wanted:
                if sop is None:
                    found = self._instances.of_series(at, series)
                else:
                    found = self._instances.of_instance(at, series, sop)
                for instance in found:
                    flow.instance()
                    yield VerifiedInstance(instance.key, instance.transfer_syntax, flow.chunks(instance.chunks))

    @contextmanager
    def _opened(
        self, principal: Principal, study: str, series: str, sop: str, request_id: str
    ) -> Iterator[tuple[StudyAt, Stored]]:
        at = self.open_study(principal, study, request_id)
        self.require(at, series, sop)
        with self._instances.one(at, series, sop) as file:
            yield at, file

    def require(self, at: StudyAt, series: str, sop: str) -> Listed:
        """The instance as it is listed. NotFound unless the series is of the study, and the instance of the series."""
        listed = self._contents(at, series).find(parse_uid(sop))
        if listed is None:
            self._gate.refuse(at.permit.principal, f"instance {at.study.uid} {series} {sop}", at.request_id)
        return listed

    def papers_held(self, principal: Principal, study: str, request_id: str) -> int:
        """How many instances are not there because they are documents, and a report of the study is held back."""
        at = self.open_study(principal, study, request_id)
        return sum(len(self._documents.contents(at, series).instances) for series in self._papers_of(at))

    def _contents(self, at: StudyAt, series: str) -> Contents:
        try:
            found = self._documents.contents(at, parse_uid(series))
        except NotFound:
            found = None
        if found is None or series in self._papers_of(at):
            self._gate.refuse(at.permit.principal, f"series {at.study.uid} {series}", at.request_id)
        return found

    def _visible(self, at: StudyAt) -> list[Row]:
        held = self._papers_of(at)
        return [row for row in self._documents.series(at) if get(row, "SeriesInstanceUID") not in held]

    def _papers_of(self, at: StudyAt) -> frozenset[str]:
        """The series of documents while a report of the study is held back: they may say the same. Else none."""
        if not self._released(at.permit.principal, at.study).withheld:
            return frozenset()
        return frozenset(
            get(row, "SeriesInstanceUID") for row in self._documents.series(at) if self._is_of_papers(at, row)
        )

    def _is_of_papers(self, at: StudyAt, row: Row) -> bool:
        """By its modality, or by any instance of it: a document does not get out in a series of pictures."""
        if is_paper_modality(get(row, "Modality")):
            return True
        return self._documents.contents(at, get(row, "SeriesInstanceUID")).holds_papers()

    def _series_of(self, at: StudyAt) -> list[str]:
        return [get(row, "SeriesInstanceUID") for row in self._visible(at)]

    def _series_row(self, at: StudyAt, row: Row) -> dict[str, Any]:
        address = at.addresses.of(at.study.uid, get(row, "SeriesInstanceUID"))
        own: Mapping[str, Any] = {**at.study.row, **row}
        return {**own, **retrieve_url(address)}

    def _addresses(self, principal: Principal) -> Addresses:
        return Addresses(self._base_url, principal.patient.provider)

    def _count(self, at: StudyAt, size: int) -> None:
        """Before an answer leaves: the right is read once more, as fetching may have taken its time."""
        at.permit.check()
        self._audit.count(at.permit.disclosure_id, instances=1, bytes=size)


def _whole(file: Stored) -> bytes:
    """The file in memory, as the renderer takes it. Unrenderable if it is larger than a renderer could use."""
    if file.size > _RENDERED:
        raise Unrenderable("too-large")
    return b"".join(file.chunks())
