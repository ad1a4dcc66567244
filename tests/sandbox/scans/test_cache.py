"""The cache of drawn files: complete or absent, also with several processes and after a crash."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from smartapp.sandbox.scans import cache
from smartapp.sandbox.world import World, build_world

DRAW = """
import sys
from pathlib import Path
from smartapp.sandbox.scans.cache import scans
from tests.sandbox.scans.test_cache import small_world
print(scans(small_world(), Path(sys.argv[1])))
"""


def small_world() -> World:
    """Ben's knee alone: one file."""
    hospital = build_world().hospital("st-elsewhere")
    ben = next(person for person in hospital.people if person.id == "ben")
    return World((dataclasses.replace(hospital, people=(ben,)),))


def files_below(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*.dcm"))


def test_files_are_where_their_ids_say(tmp_path: Path) -> None:
    world = small_world()
    folder = cache.scans(world, tmp_path)
    study = world.hospitals[0].people[0].studies[0]
    (path,) = files_below(folder)
    assert folder == tmp_path / cache.digest()
    assert path.parts[:3] == ("st-elsewhere", study.uid, study.series[0].uid)


def test_second_start_draws_nothing(tmp_path: Path) -> None:
    folder = cache.scans(small_world(), tmp_path)
    (path,) = folder.rglob("*.dcm")
    before = path.stat()
    assert cache.scans(small_world(), tmp_path) == folder
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_two_processes_at_once_share_one_drawing(tmp_path: Path) -> None:
    both = [
        subprocess.Popen([sys.executable, "-c", DRAW, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=60)[0].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert said == [str(tmp_path / cache.digest())] * 2
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([cache.digest(), "lock"])


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "making-left"
    left.mkdir()
    (left / "half.dcm").write_bytes(b"half")
    cache.scans(small_world(), tmp_path)
    assert not left.exists()


def test_a_failed_drawing_leaves_nothing_that_looks_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_world: World, folder: Path) -> None:
        (folder / "half.dcm").write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(cache, "draw", fail)
    with pytest.raises(OSError, match="disk full"):
        cache.scans(small_world(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_without_a_writable_checkout_the_cache_is_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    assert cache.default_cache(tmp_path) == tmp_path / "scans"
