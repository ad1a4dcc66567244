"""Checked instances: out of the encrypted cache, or from the PACS with the cache filled on the way."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from smartapp.dicomweb.core.cache import InstanceCache
from smartapp.dicomweb.core.deidentify.files import deidentified
from smartapp.dicomweb.core.keys import InstanceKey
from smartapp.dicomweb.core.walker import read_transfer_syntax
from smartapp.dicomweb.upstream.model import CheckedInstance, Expected
from smartapp.dicomweb.upstream.service import PacsReader
from smartapp.errors import Unavailable, UpstreamMalformed, UpstreamMismatch
from smartapp.records.documents import Documents, StudyAt

_IN_MEMORY: Final = 64 * 2**20
_PROBES: Final = 8
"""So many instances of a series are looked for in the cache to guess whether it is there."""
_PIECE: Final = 2**18
_META: Final = 4096
"""File meta information is a few hundred bytes."""


class Stored(Protocol):
    """A whole PS3.10 file that can be read at random; sizes in bytes."""

    size: int

    def chunks(self) -> Iterator[bytes]: ...

    def read(self, offset: int, length: int) -> bytes: ...

    def close(self) -> None: ...


class InMemory:
    """A file that the cache had no room for."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def chunks(self) -> Iterator[bytes]:
        """The whole file."""
        yield self._data

    def read(self, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset`."""
        return self._data[offset : offset + length]

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class VerifiedInstance:
    """An instance on its way out. `chunks` is its file, to be read once and before the next instance is asked for."""

    key: InstanceKey
    transfer_syntax: str
    chunks: Iterator[bytes]


class Instances:
    """Finds instances. One per process; safe to share by threads."""

    def __init__(self, pacs: Mapping[str, PacsReader], cache: InstanceCache, documents: Documents) -> None:
        self._pacs = pacs
        self._cache = cache
        self._documents = documents

    @contextmanager
    def one(self, at: StudyAt, series: str, sop: str) -> Iterator[Stored]:
        """The file of one listed instance, open for the time of the block."""
        key = InstanceKey(at.patient, at.study.uid, series, sop)
        with closing(self._cache.reader(key) or self._fetch(at, key)) as stored:
            yield stored

    def _fetch(self, at: StudyAt, key: InstanceKey) -> Stored:
        held: list[bytes] | None = []
        size = 0
        for found in self._fetched(at, {key.sop: key.series}, key.series, key.sop):
            for chunk in found.chunks:
                size += len(chunk)
                if size > _IN_MEMORY:
                    held = None
                if held is not None:
                    held.append(chunk)
        if held is not None:
            return InMemory(b"".join(held))
        stored = self._cache.reader(key)
        if stored is None:
            raise Unavailable("cache-full")
        return stored

    def of_series(self, at: StudyAt, series: str) -> Iterator[VerifiedInstance]:
        """All instances of a series: in viewing order if they are cached, else as the PACS gives them.

        Whether they are is guessed from a few of them; a single one that is missing is then asked for by itself.
        """
        listed = [each.sop for each in self._documents.contents(at, series).instances]
        probes = listed[:: max(1, len(listed) // _PROBES)]
        if all(self._has(at, series, sop) for sop in probes):
            for sop in listed:
                yield from self.of_instance(at, series, sop)
        else:
            yield from self._fetched(at, dict.fromkeys(listed, series), series, None)

    def of_instance(self, at: StudyAt, series: str, sop: str) -> Iterator[VerifiedInstance]:
        """One listed instance."""
        key = InstanceKey(at.patient, at.study.uid, series, sop)
        kept = self._cache.reader(key)
        if kept is None:
            yield from self._fetched(at, {sop: series}, series, sop)
            return
        with kept:
            yield VerifiedInstance(key, transfer_syntax(kept), kept.chunks())

    def _has(self, at: StudyAt, series: str, sop: str) -> bool:
        found = self._cache.reader(InstanceKey(at.patient, at.study.uid, series, sop))
        if found is not None:
            found.close()
        return found is not None

    def _fetched(
        self, at: StudyAt, series_of: Mapping[str, str], series: str, sop: str | None
    ) -> Iterator[VerifiedInstance]:
        """From the PACS, into the cache and on. After an answer that does not fit, the listing is asked for anew."""
        expected = Expected(at.ids, at.study.uid, series_of)
        try:
            for found in self._pacs[at.permit.provider].retrieve(at.permit, expected, series, sop):
                key = InstanceKey(at.patient, at.study.uid, series, found.identity.sop_instance)
                yield VerifiedInstance(key, found.identity.transfer_syntax, self._teed(key, found))
        except (UpstreamMismatch, UpstreamMalformed):
            self._documents.forget(at, series)
            raise

    def _teed(self, key: InstanceKey, found: CheckedInstance) -> Iterator[bytes]:
        """The chunks, kept on the way. Nothing is kept of an instance that did not come to its end."""
        with self._cache.writer(key) as writer:
            for chunk in found.chunks:
                writer.write(chunk)
                yield chunk
            writer.commit()


def disguised(at: StudyAt, found: VerifiedInstance) -> VerifiedInstance:
    """The instance de-identified, under the UIDs that it is shown by. Unrenderable if it must not be shown so."""
    syntax, chunks = deidentified(found.chunks, at.shown)
    key = InstanceKey(found.key.patient, *(at.shown(uid) for uid in (found.key.study, found.key.series, found.key.sop)))
    return VerifiedInstance(key, syntax, chunks)


def pieces(stored: Stored) -> Iterator[bytes]:
    """The file, without closing it."""
    for offset in range(0, stored.size, _PIECE):
        yield stored.read(offset, _PIECE)


def transfer_syntax(stored: Stored) -> str:
    """The Transfer Syntax UID in the file's own meta information."""
    return read_transfer_syntax(stored.read(offset, _META) for offset in range(0, stored.size, _META))
