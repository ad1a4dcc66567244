"""The doctor before the whole sandbox, with a FHIR server that others wrote behind its EHR."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.sandboxes import running
from tests.support.sekmet import running_sekmet


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with running_sekmet(tmp_path_factory.mktemp("sekmet")) as store, running("--fhir-store", store) as ready:
        yield ready


def doctor(sandbox: dict[str, Any]) -> tuple[int, dict[str, dict[str, str]]]:
    config = Path(sandbox["data"]) / "app" / "smartapp.toml"
    command = [sys.executable, "-m", "smartapp.cli", "--config", str(config), "doctor", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, {each["name"]: each for each in found}


def test_nothing_fails_before_the_sandbox(sandbox: dict[str, Any]) -> None:
    status, found = doctor(sandbox)
    assert {name: each for name, each in found.items() if each["state"] == "fails"} == {}
    assert status == 0
    hospitals = [provider["id"] for provider in sandbox["app"]["providers"]]
    for each in hospitals:
        for what in ("EHR of", "PACS of", "FHIR of", "client authentication at", "retrieval at the PACS of"):
            assert found[f"{what} {each}"]["state"] == "works"
    assert found["mail"]["state"] == "works"
    assert found["our keys"]["state"] == "works"


def test_a_wrong_password_is_found(sandbox: dict[str, Any]) -> None:
    password = Path(sandbox["data"]) / "app" / "pacs-password"
    right = password.read_text()
    password.write_text("another")
    try:
        status, found = doctor(sandbox)
    finally:
        password.write_text(right)
    assert status == 1
    assert "dicomweb_password_file" in found[f"PACS of {sandbox['app']['providers'][0]['id']}"]["sentence"]
