from pathlib import Path

import pytest

from tests.ohif.site import Side, our_side, unpacked
from tests.records.conftest import archive, desk, ehr, pool
from tests.records.desk import Desk

__all__ = ["archive", "desk", "ehr", "pool"]


@pytest.fixture
def side(desk: Desk) -> Side:
    return our_side(desk)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return unpacked(tmp_path / "dist")
