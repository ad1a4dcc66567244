"""One running house for all of these tests, and programs of Node's that are told of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.house import House
from tests.clients.node import Node
from tests.clients.site import Site, serving
from tests.support.parts import require
from tests.support.sandboxes import running

ROOT = Path(__file__).resolve().parents[2]
FETCHED = ROOT / "var" / "clients"
SCRIPTS = Path(__file__).parent / "js"


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """Everything as a person would start it, until the last test is over."""
    with running() as said:
        yield House(said)


@pytest.fixture(scope="session")
def fetched() -> Path:
    """Where `make clients` puts the clients in JavaScript."""
    parts = ("fhirclient", "node_modules/dicomweb-client", "node_modules/openid-client")
    found = FETCHED if all((FETCHED / part).is_dir() for part in parts) else None
    return require("the clients in JavaScript (make clients)", found)


@pytest.fixture(scope="session")
def node(fetched: Path, tmp_path_factory: pytest.TempPathFactory) -> Node:
    """Runs the programs in `js`, which find the clients beside them as any program of Node's does."""
    folder = tmp_path_factory.mktemp("js")
    for script in SCRIPTS.glob("*.mjs"):
        shutil.copy(script, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(fetched / "node_modules")
    return Node(require("Node", shutil.which("node")), folder)


@pytest.fixture(scope="session")
def site(fetched: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An origin of an app's own, with the clients for browsers in it."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(fetched / "fhirclient" / "fhir-client.js", folder)
    shutil.copy(fetched / "node_modules" / "dicomweb-client" / "build" / "dicomweb-client.js", folder)
    with serving(folder) as running:
        yield running
