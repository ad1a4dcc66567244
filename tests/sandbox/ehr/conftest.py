from collections.abc import Iterator

import pytest

from tests.sandbox.ehr.process import running


@pytest.fixture(scope="session")
def ehr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of one EHR for all tests: each test brings its own browser and its own tokens."""
    with running(tmp_path_factory.mktemp("ehr"), imaging_study=False) as base:
        yield base
