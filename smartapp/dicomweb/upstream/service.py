"""The reader of one hospital's PACS."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Final, Protocol, TypeVar
from urllib.parse import urlsplit

from smartapp.consent.model import Action, AnyPermit, IndexPermit, Permit
from smartapp.dicomweb.core.dicomjson import Row
from smartapp.dicomweb.core.multipart import read_parts
from smartapp.dicomweb.core.uids import is_uid, parse_uid
from smartapp.dicomweb.core.walker import read_identity
from smartapp.dicomweb.upstream.credentials import Credentials
from smartapp.dicomweb.upstream.model import CheckedInstance, Expected, PacsStudy, PatientIds
from smartapp.dicomweb.upstream.rows import gather_series, instance_rows, is_of, series_rows, uid
from smartapp.dicomweb.upstream.search import Search
from smartapp.dicomweb.upstream.session import GuardedSession, NotTaken, require_ok
from smartapp.errors import (
    AccessDenied,
    Reason,
    UpstreamDown,
    UpstreamError,
    UpstreamMalformed,
    UpstreamMismatch,
    UpstreamRefused,
)
from smartapp.outbound.service import Outbound, StreamedAnswer
from smartapp.settings import Provider, Upstreams
from smartapp.tokens.model import TokenSource

_ACCEPT: Final = 'multipart/related; type="application/dicom"; transfer-syntax=*'
"""Sent whatever our own client asked for: archives crash or transcode when they are offered a choice."""
_VIEWING: Final = frozenset({Action.VIEW_IMAGES})
_LISTING: Final = _VIEWING | {Action.LIST, Action.READ}
_UIDS_A_QUERY: Final = 20
_T = TypeVar("_T")


class Alarm(Protocol):
    """Told, before the error goes on its way, what is wrong with an answer of the PACS."""

    def __call__(self, permit: Permit | IndexPermit, code: str) -> None:
        """Data of somebody or something else came (pacs.mismatch)."""

    def fault(self, provider: str, error: UpstreamError) -> None:
        """No answer came, or none that can be used."""

    def preamble(self, provider: str) -> None:
        """A file came whose preamble was not empty (PS3.10 §7.1): it goes on without."""


class PacsReader:
    """Asks one provider's PACS. Every method raises the `errors.Upstream*` for what the archive does not do."""

    def __init__(
        self, provider: Provider, outbound: Outbound, tokens: TokenSource, upstreams: Upstreams, alarm: Alarm
    ) -> None:
        parts = urlsplit(provider.dicomweb)
        self._provider = provider.id
        self._base = provider.dicomweb.rstrip("/")
        self._door = outbound.for_origins(
            f"pacs-{provider.id}", (f"{parts.scheme}://{parts.netloc}",), ca_file=provider.ca_file
        )
        self._credentials = Credentials(provider, tokens)
        self._max_pages = upstreams.max_pages
        self._alarm = alarm

    def studies(self, permit: IndexPermit, ids: PatientIds, named: Sequence[str]) -> tuple[PacsStudy, ...]:
        """The studies under any of the patient's ids, and what the PACS says of those that the EHR named besides.

        A row that does not name the patient is dropped, unless the EHR says that the study is the patient's: then it
        is returned as not belonging (threat A4).
        """
        wanted = frozenset(uid for uid in named if is_uid(uid))
        self._require_ours(permit)
        with self._alarmed(permit):
            return self._searched(permit, lambda search: tuple(_found(search, ids, wanted).values()))

    def series(self, permit: Permit | IndexPermit, ids: PatientIds, study: str) -> tuple[Row, ...]:
        """The rows of the study's series, checked. They say no more of it than a list does."""
        self._require_listing(permit, study)
        with self._alarmed(permit):
            return self._searched(permit, lambda search: tuple(series_rows(search.series(study), ids, study)))

    def series_of_many(
        self, permit: IndexPermit, ids: PatientIds, counts: Mapping[str, int]
    ) -> dict[str, tuple[Row, ...]]:
        """As `series`, of as many of these studies as one search over each of the patient's ids tells in full: as many
        series as `counts` says. The others are to be asked for by themselves: not every archive searches so, and some
        cut their answers short.
        """
        self._require_ours(permit)
        found: dict[str, dict[str, Row]] = {}

        def take(search: Search, patient_id: str) -> None:
            gather_series(found, search.series_of_patient(patient_id), ids, patient_id, counts)

        with self._alarmed(permit), _as_far_as_it_goes():
            for patient_id in ids.values:
                self._searched(permit, partial(take, patient_id=patient_id))
        return {study: tuple(rows.values()) for study, rows in found.items() if len(rows) == counts[study]}

    def metadata(self, permit: Permit | IndexPermit, ids: PatientIds, study: str, series: str) -> tuple[Row, ...]:
        """The headers of the series' instances, each checked to be the patient's and of this series.

        Searches for instances are answered from them, too; and lists, which say only of what there is something to see.
        """
        self._require_listing(permit, study)
        parse_uid(series)
        with self._alarmed(permit):
            return self._searched(
                permit, lambda search: tuple(instance_rows(search.metadata(study, series), ids, study, series))
            )

    def retrieve(
        self, permit: Permit, expected: Expected, series: str | None = None, sop: str | None = None
    ) -> Iterator[CheckedInstance]:
        """The instances of the study, of one series, or one of them (PS3.18 §10.4), each checked before it is given.

        An instance's chunks are read before the next one is asked for. UpstreamMismatch comes before the first byte of
        anything foreign, or of one that came already; UpstreamMalformed when one did not come, or the body was cut.
        """
        self._require_study(permit, expected.study)
        address = f"{self._base}/studies/{expected.study}"
        if series is not None:
            address += f"/series/{parse_uid(series)}"
        if sop is not None:
            address += f"/instances/{parse_uid(sop)}"
        missing = {one for one, of in expected.series_of.items() if series in {None, of} and sop in {None, one}}
        with self._alarmed(permit), self._opened(permit, address) as answer:
            for found in _checked(answer, expected, missing):
                if found.identity.emptied:
                    self._alarm.preamble(self._provider)
                yield replace(found, chunks=self._watched(found.chunks))

    def _require_ours(self, permit: AnyPermit) -> None:
        """A permit for one hospital opens no other's archive."""
        if permit.provider != self._provider:
            raise AccessDenied(Reason("provider-not-permitted", "permit"))

    def _require_listing(self, permit: Permit | IndexPermit, study: str) -> None:
        if isinstance(permit, IndexPermit):
            self._require_ours(permit)
            parse_uid(study)
        else:
            self._require_study(permit, study, _LISTING)

    def _require_study(self, permit: Permit, study: str, actions: frozenset[Action] = _VIEWING) -> None:
        self._require_ours(permit)
        if permit.action not in actions:
            raise AccessDenied(Reason("images-not-permitted", "permit"))
        permit.require(parse_uid(study))

    @contextmanager
    def _opened(self, permit: AnyPermit, address: str) -> Iterator[StreamedAnswer]:
        for last in (False, True):
            headers = self._credentials.headers(permit)
            with self._door.stream(address, headers={"Accept": _ACCEPT, **headers}) as answer:
                if answer.status != 401:
                    require_ok(answer.status)
                    yield answer
                    return
            self._credentials.rejected(permit, headers)
            if last:
                raise self._credentials.refused()

    def _searched(self, permit: AnyPermit, use: Callable[[Search], _T]) -> _T:
        for last in (False, True):
            headers = self._credentials.headers(permit)
            session = GuardedSession(self._door.session(), headers)
            try:
                return use(Search(self._base, session, self._max_pages))
            except NotTaken:
                self._credentials.rejected(permit, headers)
                if last:
                    raise self._credentials.refused() from None
        raise AssertionError  # the second round returned or raised

    @contextmanager
    def _alarmed(self, permit: Permit | IndexPermit) -> Iterator[None]:
        try:
            yield
        except UpstreamMismatch as error:
            self._alarm(permit, error.code)
            raise
        except UpstreamError as error:
            self._alarm.fault(self._provider, error)
            raise

    def _watched(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """An instance's chunks are read by others, outside of what is alarmed here."""
        try:
            yield from chunks
        except UpstreamError as error:
            self._alarm.fault(self._provider, error)
            raise


@contextmanager
def _as_far_as_it_goes() -> Iterator[None]:
    """An archive that does not answer such a question is asked others; one that is not there, or refuses us, is not."""
    try:
        yield
    except (UpstreamDown, UpstreamRefused, UpstreamMismatch):
        raise
    except UpstreamError:
        return


def _found(search: Search, ids: PatientIds, wanted: frozenset[str]) -> dict[str, PacsStudy]:
    """The studies by UID. One UID with two rows of which one is foreign does not belong, and is told by that row."""
    found: dict[str, PacsStudy] = {}

    def take(rows: Iterator[Row]) -> None:
        for row in rows:
            study, belongs = uid(row, "StudyInstanceUID"), is_of(ids, row)
            other = found.get(study)
            if (study in wanted or belongs) and (other is None or other.belongs):
                found[study] = PacsStudy(study, belongs, row)

    for patient_id in ids.values:
        take(search.studies("PatientID", patient_id))
    rest = sorted(wanted - found.keys())
    for at in range(0, len(rest), _UIDS_A_QUERY):
        take(search.studies("StudyInstanceUID", ",".join(rest[at : at + _UIDS_A_QUERY])))
    return found


def _checked(answer: StreamedAnswer, expected: Expected, missing: set[str]) -> Iterator[CheckedInstance]:
    """The parts of the body as instances. `missing` are the SOP Instance UIDs that have to come, each once."""
    for part in read_parts(answer.chunks(), answer.headers.get("Content-Type", "")):
        if part.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/dicom":
            raise UpstreamMalformed("pacs-part-type")
        identity, held = read_identity(part.chunks)
        expected.require(identity)
        if identity.sop_instance not in missing:
            raise UpstreamMismatch("pacs-not-asked")
        missing.discard(identity.sop_instance)
        yield CheckedInstance(identity, _joined(held, part.chunks))
    if missing:
        raise UpstreamMalformed("pacs-incomplete")


def _joined(held: list[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    yield from held
    yield from rest
