from collections.abc import Iterator
from pathlib import Path

import pytest

from smartapp.sandbox.pacs.orthanc.installation import find_orthanc
from smartapp.sandbox.scans.cache import default_cache, scans
from smartapp.sandbox.world import build_world
from tests.sandbox.pacs import servers
from tests.support.parts import require


@pytest.fixture(scope="session")
def scan_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drawn scans of all hospitals, from this machine's cache."""
    return scans(build_world(), default_cache(tmp_path_factory.mktemp("scans")))


@pytest.fixture(scope="session")
def embedded_pacs(scan_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Pacs]:
    with servers.embedded(scan_files, tmp_path_factory.mktemp("embedded")) as pacs:
        yield pacs


@pytest.fixture(scope="session")
def orthanc_pacs(scan_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Pacs]:
    installation = require("Orthanc", find_orthanc())
    with servers.orthanc(installation, scan_files, tmp_path_factory.mktemp("orthanc")) as pacs:
        yield pacs


@pytest.fixture(params=["embedded", "orthanc"])
def pacs(request: pytest.FixtureRequest) -> servers.Pacs:
    """Each kind of PACS in turn."""
    found = request.getfixturevalue(f"{request.param}_pacs")
    assert isinstance(found, servers.Pacs)
    return found
