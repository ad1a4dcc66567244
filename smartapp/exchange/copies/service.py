"""A copy to keep (45 CFR 164.524(c)): everything a person may see of some studies, as one streamed ZIP."""

import contextlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.errors import (
    AuditUnavailable,
    NotFound,
    UpstreamError,
    UpstreamMalformed,
    UpstreamMismatch,
    UpstreamRefused,
)
from smartapp.exchange.copies import directory, manifest, names
from smartapp.exchange.copies import readme as readme_file
from smartapp.exchange.copies.manifest import Manifest
from smartapp.exchange.copies.passphrase import Passphrase
from smartapp.exchange.copies.plan import PlannedAttachment, PlannedReport, PlannedSeries, PlannedStudy, Planner
from smartapp.exchange.copies.progress import Board, Meter, Progress
from smartapp.exchange.copies.pulse import Pulse, Sessions
from smartapp.exchange.copies.words import Words
from smartapp.exchange.copies.zip_stream import Member, zipped
from smartapp.identity.model import Principal
from smartapp.records.model import StudyPage
from smartapp.records.service import Records
from smartapp.settings import Settings

_UIDS_IN_A_ROW = 20


@dataclass(frozen=True)
class Order:
    """What somebody wants: studies by UID, the words for it, and a passphrase or none.

    `place` names the page that asked, where it is told how far the copy is: a study's UID, or empty for the list's.
    """

    studies: tuple[str, ...]
    words: Words
    passphrase: Passphrase | None = field(default=None, repr=False)
    place: str = ""


@dataclass(frozen=True)
class Estimate:
    """What a copy will hold: how many DICOM files, and at most how many bytes (less where pictures are packed).

    `held` are papers among the pictures that may not be shown yet.
    """

    instances: int
    bytes: int
    held: int


@dataclass(frozen=True)
class Copy:
    """A copy under way. `chunks` raises when it breaks, and then the ZIP has no end: no program takes it for whole."""

    filename: str
    chunks: Generator[bytes]


class Copies:
    """Makes copies. One per process; safe to share by threads. Raises what `records` raises."""

    def __init__(
        self, settings: Settings, records: Records, sessions: Sessions, audit: AuditTrail, clock: Clock, board: Board
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._board = board
        self._records = records
        self._planner = Planner(records)
        self._audit = audit
        self._clock = clock

    def estimate(self, principal: Principal, page: StudyPage, request_id: str) -> Estimate:
        """How large a copy of one study will be, from its metadata."""
        found = self._planner.pictures(principal, page, "UNDATED/SCAN", lambda _series: "", request_id)
        files = [each for series in found.series for each in series.instances.values()]
        return Estimate(len(files), sum(each.size for each in files), found.held)

    def progress(self, principal: Principal, place: str) -> Progress | None:
        """How far the copy is that this browser session asked for at `place` (as in `Order`); None if there is none."""
        return self._board.last(principal, place)

    def make(self, principal: Principal, order: Order, request_id: str) -> Copy:
        """A copy of the studies. What is wrong with any of them is raised at once, before the first byte.

        NotFound for a study that is not the patient's, and for none at all.
        """
        zone = ZoneInfo(self._settings.provider(principal.patient.provider).timezone)
        made_at = self._clock.now().astimezone(zone)
        studies = self._plan(principal, order, made_at, request_id)
        run = _Run(self._records, principal, order, studies, made_at, request_id)
        self._tell(principal, request_id, "copy.begun", order, {"encrypted": str(order.passphrase is not None).lower()})
        meter = self._board.begin(principal, order.place, run.pictures)
        chunks = self._told(principal, request_id, order, run, meter)
        return Copy(names.archive_file([study.summary for study in studies], made_at), chunks)

    def _plan(self, principal: Principal, order: Order, made_at: datetime, request_id: str) -> list[PlannedStudy]:
        uids = list(dict.fromkeys(order.studies))
        if not uids:
            raise NotFound
        pages = [self._records.study(principal, uid, request_id) for uid in uids]
        folders = names.folders([page.summary for page in pages])
        return [
            self._planner.study(principal, page, folder, order.words, made_at, request_id)
            for page, folder in zip(pages, folders, strict=True)
        ]

    def _told(self, principal: Principal, request_id: str, order: Order, run: "_Run", meter: Meter) -> Generator[bytes]:
        """The ZIP, with one row at its end that says how it ended. It is complete when its last byte was taken."""
        outcome, pulse = "aborted", Pulse(self._sessions, principal.session_id, self._clock)
        try:
            with closing(run.chunks()) as chunks:
                for chunk in chunks:
                    yield chunk
                    meter.passed(run.manifest.files, len(chunk))
                    pulse.beat()
            outcome = "complete"
        finally:
            meter.ended(complete=outcome == "complete")
            size = {"outcome": outcome, "files": str(run.manifest.files), "bytes": str(run.manifest.size)}
            with contextlib.suppress(AuditUnavailable):  # the row of its beginning stands: assume the whole
                self._tell(principal, request_id, "copy.ended", order, size)

    def _tell(self, principal: Principal, request_id: str, kind: str, order: Order, detail: dict[str, str]) -> None:
        studies = {"studies": " ".join(order.studies[:_UIDS_IN_A_ROW]), "asked": str(len(order.studies))}
        self._audit.record(
            Event(
                kind,
                patient=principal.patient,
                principal_ref=principal.person_id,
                session_ref=principal.session_id,
                detail=studies | detail,
                request_id=request_id,
            )
        )


class _Run:
    """One copy being written: pictures first, so that a PACS that fails at once is an error page and no download."""

    def __init__(
        self,
        records: Records,
        principal: Principal,
        order: Order,
        studies: Sequence[PlannedStudy],
        made_at: datetime,
        request_id: str,
    ) -> None:
        self.manifest = Manifest()
        self._records = records
        self._principal = principal
        self._order = order
        self._studies = studies
        self._made_at = made_at
        self._request_id = request_id
        self._syntaxes: dict[str, str] = {}
        self.pictures = sum(len(series.instances) for study in studies for series in study.series)
        """How many files the manifest lists first."""

    def chunks(self) -> Generator[bytes]:
        """The ZIP. However it ends, the stream of pictures behind it is ended then, and so written down."""
        passphrase = self._order.passphrase
        with closing(self._members()) as members:
            yield from zipped(members, self._made_at, passphrase.text if passphrase else "")

    def _members(self) -> Generator[Member]:
        for study in self._studies:
            yield from self._pictures(study)
        for study in self._studies:
            for report in study.reports:
                yield self.manifest.listed(report.path, [report.pdf], {"study_instance_uid": study.summary.uid})
                for attachment in report.attachments:
                    yield from self._attached(study, report, attachment)
        yield self.manifest.listed(readme_file.FILE, [self._readme()])
        if self._syntaxes:
            yield self.manifest.listed(directory.FILE, [directory.directory(self._studies, self._syntaxes)])
        yield Member(manifest.FILE, [self.manifest.written(self._made_at, [_said(study) for study in self._studies])])

    def _pictures(self, study: PlannedStudy) -> Iterator[Member]:
        for series in study.series:
            yield from self._instances(study, series)

    def _instances(self, study: PlannedStudy, series: PlannedSeries) -> Iterator[Member]:
        """The instances of a series. UpstreamMismatch or UpstreamMalformed if they are not as planned."""
        study_uid = study.summary.uid
        missing = set(series.instances)
        asked = (self._principal, study_uid, series.uid, None, self._request_id)
        with closing(self._records.images.retrieve(*asked)) as found:
            for instance in found:
                if instance.key.sop not in missing:
                    raise UpstreamMismatch("copy-changed")
                missing.discard(instance.key.sop)
                path = series.instances[instance.key.sop].path
                self._syntaxes[path] = instance.transfer_syntax
                uids = {
                    "sop_instance_uid": instance.key.sop,
                    "series_instance_uid": series.uid,
                    "study_instance_uid": study_uid,
                }
                yield self.manifest.listed(path, instance.chunks, uids)
        if missing:
            raise UpstreamMalformed("copy-incomplete")

    def _attached(self, study: PlannedStudy, report: PlannedReport, attachment: PlannedAttachment) -> Iterator[Member]:
        """The hospital's own file; one that cannot be had now is named as missing."""
        asked = (study.summary.uid, report.id, attachment.index)
        try:
            found = self._records.attachment(self._principal, *asked, self._request_id)
        except UpstreamRefused:
            raise
        except (UpstreamError, NotFound):
            self.manifest.missing.append(attachment.path)
            return
        yield self.manifest.listed(attachment.path, [found.body], {"study_instance_uid": study.summary.uid})

    def _readme(self) -> bytes:
        incomplete = any(study.problems for study in self._studies)
        return readme_file.readme(self._order.words, self._studies, self.manifest.missing, incomplete=incomplete)


def _said(study: PlannedStudy) -> dict[str, object]:
    """What the manifest says of a study."""
    return {
        "study_instance_uid": study.summary.uid,
        "folder": study.folder,
        "held_back": list(study.held),
        "started": study.summary.started.isoformat() if study.summary.started else None,
        "instances": sum(len(series.instances) for series in study.series),
        "problems": list(study.problems),
    }
