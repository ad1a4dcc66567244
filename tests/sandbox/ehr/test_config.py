import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from smartapp.sandbox.ehr.config import ConfigError, load_config, parse_config
from tests.sandbox.ehr.process import configuration


def test_configuration_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "ehr.json"
    path.write_text(json.dumps(configuration(8010, token_lifetime=60, fhir_store="http://127.0.0.1:9/fhir/")))
    config = load_config(path)
    assert config.base_url == "http://localhost:8010"
    assert config.hospitals["mercy"].token_lifetime == 60
    assert config.hospitals["mercy"].fhir_store == "http://127.0.0.1:9/fhir"
    assert config.hospitals["st-elsewhere"].clients["imaging"].trusted


def test_secrets_are_not_printed() -> None:
    assert "a secret: with" not in repr(parse_config(configuration(8010)))


@pytest.mark.parametrize(
    "entry",
    [
        {"client_id": "a", "kind": "nonsense", "name": "A"},
        {"client_id": "a", "kind": "confidential", "name": "A"},
        {"client_id": "a", "kind": "backend", "name": "A"},
        {"client_id": "a", "kind": "public"},
        {"client_id": "a", "kind": "public", "name": "A", "unknown": 1},
    ],
)
def test_a_client_that_cannot_work_is_refused(entry: dict[str, Any]) -> None:
    hospitals = {"mercy": {"dicomweb": "http://127.0.0.1:9", "clients": [entry]}}
    with pytest.raises(ConfigError):
        parse_config({"base_url": "http://localhost:1", "hospitals": hospitals})


@pytest.mark.parametrize("raw", [[], {}, {"base_url": "x"}, {"base_url": "x", "hospitals": []}, None, {"more": 1}])
def test_a_wrong_shape_is_refused(raw: Any) -> None:
    with pytest.raises(ConfigError):
        parse_config(raw)


def test_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ehr.json"
    path.write_text("{")
    with pytest.raises(ConfigError):
        load_config(path)


@pytest.mark.parametrize(
    "text", ["{", '{"base_url": "http://localhost:1", "hospitals": {"x": {"dicomweb": "", "clients": []}}}']
)
def test_the_command_ends_with_a_sentence_and_no_traceback(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ehr.json"
    path.write_text(text)
    command = [sys.executable, "-m", "smartapp.sandbox.ehr", "--port", "1", "--config", str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
