"""Checked instances and small documents on disk, sealed with their patient's key.

A cache and nothing else: what is missing, damaged or cannot be written is fetched again, and no request fails of it.
File names are keyed hashes under the patient's key, so that the folder tells nobody what is in it, and a destroyed
key makes the names meaningless too. A file's modification time is when it was written, its access time when it was
last used (set by hand: most systems are mounted so that reading does not). Nothing is synced: a file torn by a power
cut does not open, and is a miss.
"""

import contextlib
import errno
import hmac
import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Protocol, Self

from smartapp.clock import Clock
from smartapp.dicomweb.core.keys import InstanceKey
from smartapp.dicomweb.core.sweep import sweep
from smartapp.identity.model import PatientKey
from smartapp.security.envelope import DataKey, IntegrityError
from smartapp.security.stream import SealedReader, SealedWriter
from smartapp.settings import Storage

_LOG: Final = logging.getLogger(__name__)
_TOUCH: Final = 60
"""How far, in seconds, the time of last use may lag: a file that is read a thousand times is touched once."""
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_SHARE: Final = 16
"""A worker sweeps whenever it has written this part of the cache's size: by so much each may make it too large."""


class PatientKeys(Protocol):
    """Gives each patient's data key (`str(PatientKey)`); what db.datakeys does."""

    def for_patient(self, patient: str) -> DataKey:
        """The key; made on first use."""
        ...


class Cached:
    """An object that is in the cache; `size` in bytes. To be closed, or used as a context manager.

    If part of it turns out to be damaged, reading raises IntegrityError and the object is gone from the cache.
    """

    def __init__(self, path: Path, file: BinaryIO, reader: SealedReader) -> None:
        self._path = path
        self._file = file
        self._reader = reader
        self.size = reader.size

    def chunks(self) -> Iterator[bytes]:
        """The whole of it, in pieces of at most 1 MiB. Closes it at the end, however that comes."""
        with self, self._removing_damage():
            yield from self._reader.chunks()

    def read(self, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset`."""
        with self._removing_damage():
            return self._reader.read(offset, length)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _removing_damage(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            _remove(self._path)
            raise


class CacheWriter:
    """Takes an object while it passes. Nothing is in the cache before `commit`; leaving the context without it aborts.

    It never raises of the disk: if that is full, the rest of the object is let go by, and `commit` returns False.
    """

    def __init__(self, cache: "InstanceCache", path: Path, key: DataKey, object_id: bytes) -> None:
        self._cache = cache
        self._path = path
        self._part = path.with_name(f"{path.name}.{secrets.token_hex(8)}.part")
        self._file: BinaryIO | None = None
        self._size = 0
        with self._forgiving():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
            self._sealed = SealedWriter(self._file, key, object_id)

    def write(self, chunk: bytes) -> None:
        """The object's next bytes."""
        if self._file is not None:
            self._size += len(chunk)
            with self._forgiving():
                self._sealed.write(chunk)

    def commit(self) -> bool:
        """Puts the object into the cache, in one step, in place of an older one; whether it is there."""
        with self._forgiving():
            if self._file is None:
                return False
            self._sealed.finish()
            self._file.flush()
            self._cache.stamp(self._file.fileno())
            self._file.close()
            self._part.replace(self._path)
        committed = self._file is not None
        self._file = None
        if committed:
            self._cache.written(self._size)
        return committed

    def abort(self) -> None:
        """Lets go of what was written. After `commit` it does nothing."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()
            _remove(self._part)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()

    @contextlib.contextmanager
    def _forgiving(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            _LOG.warning("dicom.cache.write failed: errno %s", error.errno)
            if error.errno in _FULL:
                self._cache.when_full()
            self.abort()


class InstanceCache:
    """The cache in `storage.cache_dir`. Several threads and processes may use one folder at once."""

    def __init__(
        self, storage: Storage, datakeys: PatientKeys, clock: Clock, when_full: Callable[[], object] = lambda: None
    ) -> None:
        """`when_full` is told when the disk took no more. It raises nothing and takes no time."""
        self._storage = storage
        self.when_full = when_full
        self._datakeys = datakeys
        self._clock = clock
        self._lock = threading.Lock()
        self._due = 0  # bytes that may still be written before the next sweep; the first is at the first write

    def reader(self, key: InstanceKey) -> Cached | None:
        """The instance, or None if it is not there (any more)."""
        return self._open(key.patient, b"instance " + bytes(key), self._storage.cache_max_age)

    def writer(self, key: InstanceKey) -> CacheWriter:
        """Takes in the instance. Only checked ones may come here: a reader does not check again whose it is."""
        return self._writer(key.patient, b"instance " + bytes(key))

    def get_blob(self, patient: PatientKey, name: str, max_age: float) -> bytes | None:
        """The document of this name, if it was put at most `max_age` seconds ago."""
        found = self._open(patient, _blob(patient, name), min(max_age, self._storage.cache_max_age))
        if found is None:
            return None
        try:
            return b"".join(found.chunks())
        except IntegrityError:
            return None

    def put_blob(self, patient: PatientKey, name: str, data: bytes) -> None:
        """Keeps a document made of a patient's data (metadata, a thumbnail) in place of the last one of this name."""
        with self._writer(patient, _blob(patient, name)) as writer:
            writer.write(data)
            writer.commit()

    def stamp(self, file: int) -> None:
        """Marks an open file as written now."""
        now = self._clock.now().timestamp()
        os.utime(file, (now, now))

    def written(self, size: int) -> None:
        """Counts; and when a share of the cache has been written, makes room, unless another thread is at it."""
        self._due -= size
        if self._due > 0 or not self._lock.acquire(blocking=False):
            return
        try:
            self._due = self._storage.cache_max_bytes // _SHARE
            sweep(self._storage, self._clock.now().timestamp())
        finally:
            self._lock.release()

    def _writer(self, patient: PatientKey, object_id: bytes) -> CacheWriter:
        data_key = self._datakeys.for_patient(str(patient))
        return CacheWriter(self, self._path(data_key, object_id), data_key, object_id)

    def _open(self, patient: PatientKey, object_id: bytes, max_age: float) -> Cached | None:
        data_key = self._datakeys.for_patient(str(patient))
        path = self._path(data_key, object_id)
        try:
            file = path.open("rb", buffering=0)  # read by the chunk: a buffer would be one more copy of each
        except OSError:
            return None
        try:
            if not self._fresh(file.fileno(), max_age):
                file.close()
                return None
            return Cached(path, file, SealedReader(file, data_key, object_id))
        except (IntegrityError, OSError):
            file.close()
            _remove(path)
            return None

    def _fresh(self, file: int, max_age: float) -> bool:
        about = os.fstat(file)
        now = self._clock.now().timestamp()
        if now - about.st_mtime > max_age:
            return False
        if now - about.st_atime > _TOUCH:
            os.utime(file, (now, about.st_mtime))
        return True

    def _path(self, key: DataKey, object_id: bytes) -> Path:
        name = hmac.digest(key.secret, b"smartapp cache name\0" + object_id, "sha256").hex()
        return self._storage.cache_dir / name[:2] / name[2:]


def _blob(patient: PatientKey, name: str) -> bytes:
    provider = patient.provider.encode()
    person = patient.patient_id.encode()
    return b"blob %d:%b%d:%b%b" % (len(provider), provider, len(person), person, name.encode())


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
