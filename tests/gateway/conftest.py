import pytest

from tests.gateway.app import Viewer, viewer
from tests.records.conftest import archive, desk, ehr, pool
from tests.records.desk import Desk

__all__ = ["archive", "desk", "ehr", "pool"]


@pytest.fixture
def v(desk: Desk) -> Viewer:
    return viewer(desk)
