"""The file outside the database: what it says, and when the database is behind it."""

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from smartapp.audit.checkpoint import Checkpoint, Mark
from smartapp.audit.model import Event
from smartapp.db.unit import Database
from smartapp.errors import ConfigurationError
from smartapp.security.keyring import Keyring
from tests.access.house import House


@pytest.fixture
def house(database: Database, keyring: Keyring) -> House:
    return House(database, keyring)


@pytest.fixture
def checkpoint(house: House, tmp_path: Path) -> Checkpoint:
    return Checkpoint(tmp_path / "checkpoint", house.database, house.keyring)


def test_before_the_first_row_nothing_is_lacking(checkpoint: Checkpoint) -> None:
    assert checkpoint.read() is None
    assert checkpoint.head() == Mark(0, "")
    assert not checkpoint.lacks(Mark(0, ""))


@pytest.mark.threat("F30")
def test_a_row_that_was_seen_is_missed(house: House, checkpoint: Checkpoint) -> None:
    house.audit.record(Event("grant.ended"))
    first = checkpoint.head()
    house.audit.record(Event("grant.ended"))
    second = checkpoint.head()
    assert (second.seq, first.row == second.row) == (first.seq + 1, False)
    assert not checkpoint.lacks(first)
    assert not checkpoint.lacks(second)
    assert checkpoint.lacks(replace(second, seq=second.seq + 1))


@pytest.mark.threat("F30")
def test_another_history_of_the_same_length_is_another(house: House, checkpoint: Checkpoint) -> None:
    house.audit.record(Event("session.end"))
    mark = checkpoint.head()
    assert checkpoint.lacks(replace(mark, row=mark.row[::-1]))
    assert checkpoint.lacks(replace(mark, row=""))


def test_it_is_on_the_disk_whole_and_for_us_alone(checkpoint: Checkpoint, tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        for seq in (7, 1234567):
            checkpoint.write(Mark(seq, "hash"))
            assert checkpoint.read() == Mark(seq, "hash")
    finally:
        os.umask(mask)
    assert [path.name for path in tmp_path.iterdir() if path.name != "keys"] == ["checkpoint"]
    assert stat.S_IMODE((tmp_path / "checkpoint").stat().st_mode) == 0o600


@pytest.mark.parametrize("said", ["", "{", "[]", '{"seq": "x", "row": ""}', '{"row": "hash"}', "\xff"])
def test_what_is_no_checkpoint_is_said(checkpoint: Checkpoint, tmp_path: Path, said: str) -> None:
    (tmp_path / "checkpoint").write_bytes(said.encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"\[storage\] checkpoint .*it is no checkpoint"):
        checkpoint.read()


def test_a_folder_that_is_not_there_is_said(house: House, tmp_path: Path) -> None:
    nowhere = Checkpoint(tmp_path / "not" / "there", house.database, house.keyring)
    with pytest.raises(ConfigurationError, match="No such file"), nowhere.held():
        pytest.fail("held")
    with pytest.raises(ConfigurationError, match="No such file"):
        nowhere.write(Mark(1, "hash"))


def test_one_at_a_time_holds_it(checkpoint: Checkpoint, tmp_path: Path) -> None:
    counted = tmp_path / "counted"
    counted.write_text(json.dumps(0))

    def count(_number: int) -> None:
        with checkpoint.held():
            counted.write_text(json.dumps(json.loads(counted.read_text()) + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(64)))
    assert json.loads(counted.read_text()) == 64


def test_reading_it_changes_nothing(house: House, checkpoint: Checkpoint) -> None:
    house.audit.record(Event("session.end"))
    checkpoint.lacks(checkpoint.head())
    with house.database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM audit_events")) == 1
