"""What the doctor says of the file outside the database."""

from dataclasses import replace
from pathlib import Path

import pytest

from smartapp.audit.checkpoint import Mark
from smartapp.bootstrap.diagnosis import _checkpoint
from smartapp.bootstrap.restored import build_checkpoint
from smartapp.settings import Storage
from tests.support.databases import SqliteFiles
from tests.threats.composed import composed


@pytest.mark.threat("F30")
def test_the_doctor_tells_whether_a_backup_was_put_back_or_would_be_noticed(
    sqlite_files: SqliteFiles, tmp_path: Path
) -> None:
    storage = Storage(tmp_path / "cache", checkpoint=tmp_path / "checkpoint")
    with composed(sqlite_files, tmp_path, storage=storage) as running:
        ground = running.ground
        checkpoint = build_checkpoint(ground)
        assert checkpoint is not None
        assert _checkpoint(ground).state == "works"
        checkpoint.write(Mark(9, "a row that this database never had"))
        found = _checkpoint(ground)
        assert (found.state, "earlier one" in found.sentence) == ("fails", True)
        bare = replace(ground.settings, storage=Storage(tmp_path / "cache"))
        found = _checkpoint(replace(ground, settings=bare))
        assert (found.state, "[storage] checkpoint" in found.sentence) == ("look", True)
