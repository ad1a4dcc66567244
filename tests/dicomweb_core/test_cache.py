import errno
import os
from pathlib import Path
from typing import BinaryIO

import pytest

from smartapp.db.datakeys import DataKeys
from smartapp.db.unit import Database
from smartapp.dicomweb.core import cache as cache_module
from smartapp.dicomweb.core.cache import InstanceCache
from smartapp.dicomweb.core.keys import InstanceKey
from smartapp.identity.model import PatientKey
from smartapp.security.envelope import DataKey, IntegrityError
from smartapp.security.keyring import Keyring
from smartapp.security.stream import CHUNK_BYTES, SealedWriter
from smartapp.settings import Storage
from tests.support.clock import FixedClock

ANNA = PatientKey("st-elsewhere", "anna")
KEY = InstanceKey(ANNA, "1.2", "1.2.3", "1.2.3.4")

pytestmark = pytest.mark.promise("E2")


class Keys:
    """Data keys in memory."""

    def __init__(self) -> None:
        self.keys: dict[str, DataKey] = {}

    def for_patient(self, patient: str) -> DataKey:
        return self.keys.setdefault(patient, DataKey(f"dk-{len(self.keys)}", os.urandom(32)))


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "cache", cache_max_bytes=100_000, cache_max_age=1000)


@pytest.fixture
def large(tmp_path: Path, keys: Keys, fixed_clock: FixedClock) -> InstanceCache:
    """One that holds several objects of some MiB."""
    return InstanceCache(Storage(tmp_path / "cache"), keys, fixed_clock)


@pytest.fixture
def cache(storage: Storage, keys: Keys, fixed_clock: FixedClock) -> InstanceCache:
    return InstanceCache(storage, keys, fixed_clock)


def put(cache: InstanceCache, key: InstanceKey, data: bytes) -> bool:
    with cache.writer(key) as writer:
        for at in range(0, len(data), 70_000):
            writer.write(data[at : at + 70_000])
        return writer.commit()


def get(cache: InstanceCache, key: InstanceKey) -> bytes | None:
    found = cache.reader(key)
    return None if found is None else b"".join(found.chunks())


def files(storage: Storage) -> list[Path]:
    return [path for path in storage.cache_dir.rglob("*") if path.is_file()]


def numbered(number: int) -> InstanceKey:
    return InstanceKey(ANNA, "1.2", "1.2.3", f"1.2.3.{number}")


def test_what_was_put_is_got(large: InstanceCache) -> None:
    cache = large
    data = os.urandom(3 * CHUNK_BYTES + 5)
    assert get(cache, KEY) is None
    assert put(cache, KEY, data)
    assert get(cache, KEY) == data
    with cache.reader(KEY) or pytest.fail("a miss") as found:
        assert found.size == len(data)
        assert found.read(CHUNK_BYTES - 3, 6) == data[CHUNK_BYTES - 3 : CHUNK_BYTES + 3]


def test_nothing_is_there_before_commit_or_after_abort(cache: InstanceCache, storage: Storage) -> None:
    with cache.writer(KEY) as writer:
        writer.write(b"half")
        assert get(cache, KEY) is None
    assert get(cache, KEY) is None
    assert files(storage) == []


def test_a_later_object_takes_the_place_of_the_first(cache: InstanceCache, storage: Storage) -> None:
    assert put(cache, KEY, b"old")
    with cache.reader(KEY) or pytest.fail("a miss") as reading:
        assert put(cache, KEY, b"new")
        assert reading.read(0, 3) == b"old"
    assert get(cache, KEY) == b"new"
    assert len(files(storage)) == 1


def test_names_and_bytes_tell_nothing(cache: InstanceCache, storage: Storage) -> None:
    put(cache, KEY, b"PatientName")
    cache.put_blob(ANNA, "metadata 1.2", b"PatientName")
    for path in files(storage):
        shown = str(path.relative_to(storage.cache_dir))
        assert "1.2" not in shown
        assert "anna" not in shown
        assert b"PatientName" not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
        assert path.parent.stat().st_mode & 0o077 == 0


def test_every_part_of_a_key_counts(cache: InstanceCache) -> None:
    others = [
        InstanceKey(PatientKey("st-elsewher", "eanna"), "1.2", "1.2.3", "1.2.3.4"),
        InstanceKey(PatientKey("other", "anna"), "1.2", "1.2.3", "1.2.3.4"),
        InstanceKey(ANNA, "1.20", "1.2.3", "1.2.3.4"),
        InstanceKey(ANNA, "1.2", "1.2.30", "1.2.3.4"),
        InstanceKey(ANNA, "1.2", "1.2.3", "1.2.3.40"),
    ]
    put(cache, KEY, b"data")
    assert [get(cache, key) for key in others] == [None] * 5
    assert cache.get_blob(ANNA, "1.2", 100) is None


def test_a_destroyed_key_is_the_end_of_what_was_kept(cache: InstanceCache, keys: Keys) -> None:
    put(cache, KEY, b"data")
    keys.keys.clear()
    assert get(cache, KEY) is None


def test_with_the_patients_real_keys(
    storage: Storage, sqlite_database: Database, keyring: Keyring, fixed_clock: FixedClock
) -> None:
    datakeys = DataKeys(sqlite_database, keyring, fixed_clock)
    cache = InstanceCache(storage, datakeys, fixed_clock)
    assert put(cache, KEY, b"data")
    assert get(cache, KEY) == b"data"
    datakeys.destroy(str(ANNA))
    assert get(cache, KEY) is None


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "foreign", "moved"])
@pytest.mark.promise("E4")
def test_a_damaged_file_is_a_miss_and_goes(cache: InstanceCache, storage: Storage, damage: str) -> None:
    put(cache, KEY, b"some data")
    (path,) = files(storage)
    whole = path.read_bytes()
    if damage == "moved":
        put(cache, numbered(9), b"other data")
        (other,) = set(files(storage)) - {path}
        other.replace(path)
    else:
        foreign = b"#!/bin/sh\n" * 30
        path.write_bytes(
            {"flip": whole[:-1] + bytes([whole[-1] ^ 1]), "cut": whole[:-1], "empty": b"", "foreign": foreign}[damage]
        )
    assert get(cache, KEY) is None
    assert files(storage) == []


@pytest.mark.promise("E4")
def test_damage_in_the_middle_is_an_error_and_then_a_miss(large: InstanceCache, storage: Storage) -> None:
    cache = large
    put(cache, KEY, bytes(3 * CHUNK_BYTES))
    (path,) = files(storage)
    whole = bytearray(path.read_bytes())
    whole[CHUNK_BYTES + 500] ^= 1
    path.write_bytes(whole)
    with pytest.raises(IntegrityError):
        get(cache, KEY)
    assert get(cache, KEY) is None


def test_age(cache: InstanceCache, fixed_clock: FixedClock) -> None:
    put(cache, KEY, b"data")
    cache.put_blob(ANNA, "list", b"[]")
    fixed_clock.advance(100)
    assert cache.get_blob(ANNA, "list", 100) == b"[]"
    assert cache.get_blob(ANNA, "list", 99) is None
    fixed_clock.advance(900)
    assert get(cache, KEY) == b"data"
    fixed_clock.advance(1)
    assert get(cache, KEY) is None


def test_what_was_not_used_for_longest_goes_first(
    cache: InstanceCache, storage: Storage, fixed_clock: FixedClock
) -> None:
    for number in range(9):
        put(cache, numbered(number), bytes(10_000))
        fixed_clock.advance(61)
    assert get(cache, numbered(0))
    for number in range(9, 12):
        put(cache, numbered(number), bytes(10_000))
    kept = [number for number in range(12) if get(cache, numbered(number))]
    assert kept == [0, *range(12 - len(kept) + 1, 12)]
    assert sum(path.stat().st_size for path in files(storage)) <= storage.cache_max_bytes * (1 + 1 / 16)


def test_what_is_too_old_and_what_was_never_finished_is_swept(
    cache: InstanceCache, storage: Storage, fixed_clock: FixedClock
) -> None:
    put(cache, KEY, b"data")
    left = files(storage)[0].with_name("x.part")
    left.write_bytes(b"half")
    now = fixed_clock.now().timestamp()
    os.utime(left, (now, now))
    fixed_clock.advance(7 * 3600)
    put(cache, numbered(9), bytes(10_000))
    assert len(files(storage)) == 1
    assert get(cache, numbered(9)) is not None


@pytest.mark.threat("F18")
@pytest.mark.parametrize("when", [0, 2, 3])
def test_a_full_disk_stops_caching_and_nothing_else(
    cache: InstanceCache, storage: Storage, monkeypatch: pytest.MonkeyPatch, when: int
) -> None:
    class Full(SealedWriter):
        def __init__(self, fileobj: BinaryIO, key: DataKey, object_id: bytes) -> None:
            if when == 0:
                raise OSError(errno.ENOSPC, "full")
            self.writes = 0
            super().__init__(fileobj, key, object_id)

        def write(self, chunk: bytes) -> None:
            self.writes += 1
            if self.writes == when:
                raise OSError(errno.ENOSPC, "full")
            super().write(chunk)

        def finish(self) -> None:
            raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(cache_module, "SealedWriter", Full)
    with cache.writer(KEY) as writer:
        writer.write(b"a")
        writer.write(b"b")
        assert not writer.commit()
    cache.put_blob(ANNA, "list", b"[]")
    assert files(storage) == []
    assert get(cache, KEY) is None


@pytest.mark.threat("F18")
def test_a_folder_that_cannot_be_made(keys: Keys, fixed_clock: FixedClock, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = InstanceCache(Storage(tmp_path / "file"), keys, fixed_clock)
    assert not put(cache, KEY, b"data")
    assert get(cache, KEY) is None
