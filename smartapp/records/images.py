"""What viewers and apps fetch: metadata, instances, frames and pictures of the principal's patient."""

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final, NoReturn

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.consent.model import Action
from smartapp.dicomweb.core.cache import InstanceCache
from smartapp.dicomweb.core.deidentify.files import deidentified
from smartapp.dicomweb.core.deidentify.rules import is_bulk_kept
from smartapp.dicomweb.core.render import PictureType, RenderPool, Window
from smartapp.errors import NotFound, PartWithheld, Unrenderable
from smartapp.identity.model import Principal
from smartapp.records.bulk import bulk_value
from smartapp.records.contents import Listed
from smartapp.records.documents import Documents, StudyAt
from smartapp.records.flow import flowing
from smartapp.records.frames import FrameData, frames_of, whole
from smartapp.records.gate import Gate
from smartapp.records.instances import Instances, Stored, VerifiedInstance, disguised, pieces, transfer_syntax
from smartapp.records.view import LeftOut, View, nobody

_THUMBNAIL_AGE: Final = 7 * 86400
_MADE_TO_HARM: Final = {
    "deflate": "dicom.bomb",
    "dimensions": "dicom.dims",
    "bits": "dicom.dims",
    "too-large": "dicom.dims",
}


class Images:
    """Every method asks the question first, and counts what it gives. Sizes in bytes.

    NotFound for whatever is not the patient's, or not of the study and series it is asked for in: without asking the
    PACS. Raises the `Upstream*` errors, AccessDenied, PermitEnded and AuditUnavailable.
    """

    def __init__(
        self,
        gate: Gate,
        view: View,
        documents: Documents,
        instances: Instances,
        cache: InstanceCache,
        pool: RenderPool,
        audit: AuditTrail,
    ) -> None:
        self._gate = gate
        self._documents = documents
        self._instances = instances
        self._cache = cache
        self._pool = pool
        self._audit = audit
        self._view = view

    def metadata(
        self,
        principal: Principal,
        study: str,
        series: str | None,
        sop: str | None,
        request_id: str,
        left_out: LeftOut = nobody,
    ) -> bytes:
        """The metadata of a study, a series or an instance, as a DICOM JSON array (PS3.18 §10.4.1.1.2).

        `left_out` is told if some of what was asked for is held back.
        """
        at = self.open_study(principal, study, request_id)
        if series is None:
            parts = [self._view.document(at, uid)[1:-1] for uid in self._view.told(at, left_out).uids]
            document = b"[" + b",".join(part for part in parts if part) + b"]"
        elif sop is None:
            uid = self._view.series(at, series)
            document = self._view.document(at, uid)
            if at.deidentified and uid not in self._view.seen(at).retrievable:
                left_out()
        else:
            uid = self._view.series(at, series)
            row = self._documents.row(at, uid, self._view.instance(at, uid, sop).sop)
            document = json.dumps([self._view.row(at, row)]).encode()
        at.permit.check()
        self._audit.count(at.permit.disclosure_id, bytes=len(document))
        return document

    def retrieve(
        self, principal: Principal, study: str, series: str | None, sop: str | None, request_id: str
    ) -> Generator[VerifiedInstance]:
        """The instances, one after the other; each one's chunks are read before the next one is asked for.

        What is wrong with the request is raised at once; what goes wrong on the way, by the iterator or by the chunks.
        PartWithheld for a whole study, or a whole series, of which something is held back.
        """
        at = self.open_study(principal, study, request_id)
        if series is None:
            wanted = self._whole_study(at)
        else:
            wanted = [self._view.series(at, series)]
            if sop is None and at.deidentified:
                self._require_whole(at, wanted[0])
        if not wanted:
            raise NotFound
        one = None if sop is None or series is None else self._view.instance(at, wanted[0], sop).sop
        for uid in wanted:
            self._documents.contents(at, uid)
        return self._sent(at, wanted, one)

    def _whole_study(self, at: StudyAt) -> list[str]:
        seen = self._view.seen(at)
        if not seen.whole:
            raise PartWithheld(tuple(at.shown(uid) for uid in seen.retrievable))
        return list(seen.uids)

    def _require_whole(self, at: StudyAt, series: str) -> None:
        retrievable = self._view.seen(at).retrievable
        if series not in retrievable:
            raise PartWithheld(tuple(at.shown(uid) for uid in retrievable))

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
        with self._opened(principal, study, series, sop, request_id) as (at, _, file):
            found = frames_of(file, numbers, self._pool, stored=stored)
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
        with self._opened(principal, study, series, sop, request_id) as (at, _, file):
            picture = self._pool.rendered(
                whole(file), number, window=window, viewport=viewport, quality=quality, kind=kind
            )
            self._count(at, len(picture))
            return picture

    def bulkdata(self, principal: Principal, study: str, series: str, sop: str, tag: int, request_id: str) -> bytes:
        """One large value of an instance, as its metadata names it (PS3.18 §10.4.1.1.5)."""
        with self._opened(principal, study, series, sop, request_id) as (at, listed, file):
            if at.deidentified and not is_bulk_kept(tag, listed.sop_class):
                raise NotFound
            value = bulk_value(file, transfer_syntax(file), tag)
            self._count(at, len(value))
            return value

    def thumbnail(self, principal: Principal, study: str, series: str, sop: str | None, request_id: str) -> bytes:
        """A small JPEG of an instance, or of the middle one of those in the series that can be looked at."""
        at = self.open_study(principal, study, request_id)
        uid = self._view.series(at, series)
        if sop is None:
            shown = [each.sop for each in self._view.instances(at, uid) if each.frames]
            one = shown[len(shown) // 2] if shown else None
        else:
            one = self._view.instance(at, uid, sop).sop
        if one is None:
            raise NotFound
        name = f"thumbnail {at.study.uid} {uid} {one}"
        picture = self._cache.get_blob(at.patient, name, _THUMBNAIL_AGE)
        if picture is None or at.deidentified:
            with self._checked(at, uid, one) as file:
                picture = self._pool.thumbnail(whole(file))
            self._cache.put_blob(at.patient, name, picture)
        self._count(at, len(picture))
        return picture

    def outside(self, principal: Principal, study: str, request_id: str) -> NoReturn:
        """A study was asked for which the token does not reach: NotFound, written down."""
        self._gate.refuse(principal, f"study {study}, by a token for another", request_id)

    def open_study(self, principal: Principal, study: str, request_id: str) -> StudyAt:
        """The study, with a permit to see its images. NotFound if the PACS has none of them."""
        return self._view.open(principal, study, Action.VIEW_IMAGES, request_id)

    def require(self, at: StudyAt, series: str, sop: str) -> Listed:
        """The instance as it is listed. NotFound unless the series is of the study, and the instance of the series."""
        return self._view.instance(at, self._view.series(at, series), sop)

    def papers_held(self, principal: Principal, study: str, request_id: str) -> int:
        """How many instances are not there because they are documents, and a report of the study is held back."""
        at = self.open_study(principal, study, request_id)
        return sum(len(self._documents.contents(at, series).instances) for series in self._view.papers_of(at))

    def _sent(self, at: StudyAt, wanted: Sequence[str], sop: str | None) -> Generator[VerifiedInstance]:
        with flowing(self._audit, at.permit) as flow:
            for series in wanted:
                if sop is None:
                    found = self._instances.of_series(at, series)
                else:
                    found = self._instances.of_instance(at, series, sop)
                for instance in map(partial(disguised, at), found) if at.deidentified else found:
                    flow.instance()
                    yield VerifiedInstance(instance.key, instance.transfer_syntax, flow.chunks(instance.chunks))

    @contextmanager
    def _opened(
        self, principal: Principal, study: str, series: str, sop: str, request_id: str
    ) -> Iterator[tuple[StudyAt, Listed, Stored]]:
        at = self.open_study(principal, study, request_id)
        uid = self._view.series(at, series)
        listed = self._view.instance(at, uid, sop)
        with self._checked(at, uid, listed.sop) as file:
            yield at, listed, file

    @contextmanager
    def _checked(self, at: StudyAt, series: str, sop: str) -> Iterator[Stored]:
        """The file; under a de-identified grant it has to say of itself that it may be shown so (Unrenderable)."""
        with self._instances.one(at, series, sop) as file:
            if at.deidentified:
                deidentified(pieces(file), at.shown)
            with self._harmless(at):
                yield file

    @contextmanager
    def _harmless(self, at: StudyAt) -> Iterator[None]:
        """Notes an object that was made to be too much for whoever draws it (threats D4, D6)."""
        try:
            yield
        except Unrenderable as error:
            if error.code in _MADE_TO_HARM:
                detail = {"code": error.code}
                self._audit.note(Event(_MADE_TO_HARM[error.code], provider=at.patient.provider, detail=detail))
            raise

    def _count(self, at: StudyAt, size: int) -> None:
        """Before an answer leaves: the right is read once more, as fetching may have taken its time."""
        at.permit.check()
        self._audit.count(at.permit.disclosure_id, instances=1, bytes=size)
