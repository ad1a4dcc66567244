import json
import os
import shutil
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.errors import ConfigurationError, KeysUnavailable
from smartapp.security import keyfiles
from smartapp.security.envelope import IntegrityError
from smartapp.security.keyring import Keyring


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Keyring.create(tmp_path / "keys")
    return tmp_path / "keys"


def only(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path


def test_new_keys_are_private_and_never_made_twice(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ConfigurationError, match="keys rotate"):
        Keyring.create(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.threat("C11")
@pytest.mark.parametrize("pattern", ["kek-*.key", "mac-*.key"])
@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (lambda path: path.unlink(), "restore"),
        (lambda path: path.chmod(0o644), "chmod 600"),
        (lambda path: path.chmod(0o640), "chmod 600"),
        (lambda path: path.write_text(path.read_text()[:40]), "cut key"),
        (lambda path: path.write_text(path.read_text().strip() * 2), "cut key"),
        (lambda path: path.write_text(""), "cut key"),
        (lambda path: path.write_text("changeme\n"), "no key"),
        (lambda path: path.write_text("00" * 32), "placeholder"),
        (lambda path: path.write_bytes(os.urandom(64)), "no key"),
    ],
    ids=["missing", "world", "group", "short", "long", "empty", "placeholder", "zeros", "noise"],
)
def test_an_unusable_key_stops_the_start(folder: Path, pattern: str, fault: object, sentence: str) -> None:
    assert callable(fault)
    fault(only(folder, pattern))
    with pytest.raises(KeysUnavailable) as caught:
        Keyring.load(folder)
    assert sentence in str(caught.value)


@pytest.mark.threat("C11")
@pytest.mark.parametrize(
    "index",
    [
        "",
        "[]",
        "{}",
        '{"current": 1, "retired": [], "mac": "a"}',
        '{"current": "../x", "retired": [], "mac": "a"}',
        '{"current": "a", "retired": 5, "mac": "a"}',
        '{"current": "absent", "retired": [], "mac": "absent"}',
    ],
)
def test_a_broken_index_stops_the_start(folder: Path, index: str) -> None:
    (folder / keyfiles.INDEX).write_text(index)
    with pytest.raises(KeysUnavailable, match="restore"):
        Keyring.load(folder)


@pytest.mark.threat("C11")
def test_an_index_that_others_can_change_stops_the_start(folder: Path) -> None:
    (folder / keyfiles.INDEX).chmod(0o620)
    with pytest.raises(KeysUnavailable, match="chmod 600"):
        Keyring.load(folder)


@pytest.mark.threat("C11")
def test_no_folder_says_how_to_make_keys(tmp_path: Path) -> None:
    with pytest.raises(KeysUnavailable, match="smartapp keys init"):
        Keyring.load(tmp_path / "absent")


def test_wrapping_and_sealing_open_again_and_are_not_each_other(folder: Path) -> None:
    keyring = Keyring.load(folder)
    assert keyring.unwrap(keyring.wrap(b"secret", b"a"), b"a") == b"secret"
    assert keyring.open_(keyring.seal(b"plain", b"a"), b"a") == b"plain"
    with pytest.raises(IntegrityError):
        keyring.open_(keyring.wrap(b"secret", b"a"), b"a")
    with pytest.raises(IntegrityError):
        keyring.unwrap(keyring.seal(b"plain", b"a"), b"a")
    with pytest.raises(IntegrityError):
        keyring.unwrap(keyring.wrap(b"secret", b"a"), b"b")


@pytest.mark.threat("C8")
def test_rotation_keeps_old_things_readable_also_for_those_that_run(folder: Path) -> None:
    running = Keyring.load(folder)
    old = running.wrap(b"old", b"")
    for _ in range(2):
        rotated = Keyring.rotate(folder)
        assert rotated.current != running.current
    new = rotated.wrap(b"new", b"")
    for keyring in (running, rotated, Keyring.load(folder)):
        assert (keyring.unwrap(old, b""), keyring.unwrap(new, b"")) == (b"old", b"new")
    assert running.current == rotated.current
    assert rotated.mac("p", "v") == Keyring.load(folder).mac("p", "v") == running.mac("p", "v")


@pytest.mark.threat("C6")
def test_a_key_that_left_the_index_opens_nothing(folder: Path) -> None:
    old = Keyring.load(folder).wrap(b"old", b"")
    rotated = Keyring.rotate(folder)
    index = json.loads((folder / keyfiles.INDEX).read_text())
    (folder / keyfiles.INDEX).write_text(json.dumps(index | {"retired": []}))
    for keyring in (Keyring.load(folder), Keyring.load(folder)):
        with pytest.raises(KeysUnavailable):
            keyring.unwrap(old, b"")
    assert rotated.unwrap(old, b"") == b"old"


@pytest.mark.threat("C11")
def test_keys_lost_at_run_time_fail_closed(folder: Path) -> None:
    running = Keyring.load(folder)
    mine = running.wrap(b"x", b"")
    foreign = Keyring.create(folder.parent / "other").wrap(b"x", b"")
    shutil.rmtree(folder)
    assert running.unwrap(mine, b"") == b"x"
    with pytest.raises(KeysUnavailable):
        running.unwrap(foreign, b"")


def test_a_rotation_that_stopped_halfway_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Keyring.load(folder)

    def power_cut(*_args: object) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(keyfiles, "write_index", power_cut)
        with pytest.raises(OSError):  # noqa: PT011 -- the power cut above, nothing else
            Keyring.rotate(folder)
    assert Keyring.load(folder).current == before.current
    assert Keyring.rotate(folder).unwrap(before.wrap(b"x", b""), b"") == b"x"


@pytest.mark.threat("C13")
@given(st.tuples(st.text(max_size=9), st.binary(max_size=9)), st.tuples(st.text(max_size=9), st.binary(max_size=9)))
def test_hashes_are_equal_for_equal_purpose_and_value_only(one: tuple[str, bytes], two: tuple[str, bytes]) -> None:
    assert (HASHES.mac(*one) == HASHES.mac(*two)) == (one == two)


def test_hashes_need_the_key(folder: Path) -> None:
    value = Keyring.load(folder).mac("token", "secret")
    assert len(value) == 64
    assert value != Keyring.create(folder.parent / "other").mac("token", "secret")


HASHES = Keyring(Path("absent"), keyfiles.Index("k", (), "m"), {}, bytes(range(32)))
