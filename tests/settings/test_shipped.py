import json
import re
import tomllib
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # ships no types

from smartapp.settings import Address, Affiliate, Brand, Portal, Provider
from smartapp.settings.loader import SECTIONS
from tests.settings.conftest import CONFIG, Configuration

ROOT = CONFIG.parent
TABLES = {"address", "portal", "affiliate"}
"""The settings of a brand that are tables."""


def schema(name: str) -> dict[str, Any]:
    loaded = json.loads((CONFIG / "schema" / f"{name}.schema.json").read_text())
    assert isinstance(loaded, dict)
    return loaded


def keys(kind: type) -> set[str]:
    return {field.name for field in fields(kind)}


def test_smartapp_toml_lists_exactly_the_settings_with_their_defaults() -> None:
    text = (CONFIG / "smartapp.toml").read_text()
    document = tomllib.loads(text)
    described = {
        section.partition("]")[0]: set(re.findall(r"^(?:# )?([a-z_]+) = ", section, re.MULTILINE))
        for section in re.split(r"^\[", text, flags=re.MULTILINE)[1:]
    }
    assert described == {name: keys(kind) for name, kind in SECTIONS.items()}
    for name, kind in SECTIONS.items():
        for field in fields(kind):
            if field.default is not MISSING and field.name in document[name]:
                found = document[name][field.name]
                assert (tuple(found) if isinstance(found, list) else found) == field.default, f"[{name}] {field.name}"


def test_every_setting_is_explained() -> None:
    lines = (CONFIG / "smartapp.toml").read_text().splitlines()
    for number, line in enumerate(lines):
        if re.match(r"\[", line):
            assert lines[number + 1].startswith("# "), line


def test_providers_toml_names_exactly_the_settings_of_a_provider() -> None:
    text = (CONFIG / "providers.toml").read_text()
    described = {
        section.partition("]")[0].rpartition(".")[2]: set(re.findall(r"^(?:# )?([a-z_]+) = ", section, re.MULTILINE))
        for section in re.split(r"^(?:# )?\[+(?=provider)", text, flags=re.MULTILINE)[1:]
    }
    assert described == {
        "provider": keys(Provider) - {"brand"},
        "brand": keys(Brand) - TABLES,
        "address": keys(Address),
        "portal": keys(Portal),
        "affiliate": {"id", "name", "website"},
    }


@pytest.mark.parametrize("name", ["smartapp", "providers", "jurisdictions"])
def test_each_file_fits_its_schema(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))
    Draft202012Validator(schema(name)).validate(tomllib.loads((CONFIG / f"{name}.toml").read_text()))


def test_every_toml_has_a_schema() -> None:
    assert {path.stem for path in CONFIG.glob("*.toml")} == {
        path.name.removesuffix(".schema.json") for path in (CONFIG / "schema").iterdir()
    }


def test_the_schemas_name_the_same_settings_as_the_code() -> None:
    sections = schema("smartapp")["properties"]
    described = dict(sections)
    described["provider"] = schema("providers")["properties"]["provider"]["items"]
    for name, kind in {**SECTIONS, "provider": Provider}.items():
        assert set(described[name]["properties"]) == keys(kind), name
        assert set(described[name]["required"]) == {f.name for f in fields(kind) if f.default is MISSING}, name
        assert described[name]["additionalProperties"] is False


@pytest.mark.parametrize("kind", [Address, Affiliate, Brand, Portal])
def test_the_schema_names_the_same_settings_of_a_brand_as_the_code(kind: type) -> None:
    described = schema("providers")["$defs"][kind.__name__.lower()]
    assert set(described["properties"]) == keys(kind)
    assert set(described.get("required", [])) == {f.name for f in fields(kind) if f.default is MISSING}
    assert described["additionalProperties"] is False


@pytest.mark.parametrize(
    ("key", "value"), [("id", "St"), ("colour", "red"), ("client_auth", "client_secret_basic"), ("iss", "ehr")]
)
def test_the_schema_refuses_what_the_loader_refuses(configuration: Configuration, key: str, value: str) -> None:
    configuration.provider[key] = value
    assert not Draft202012Validator(schema("providers")).is_valid(configuration.providers)
    with pytest.raises(Exception, match=key if key != "client_auth" else "private_key_file"):
        configuration.load()


def test_the_lock_is_hashes_only() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"https?://|file:|^--", lock, re.MULTILINE)
    assert lock.count("--hash=sha256:") > 100


@pytest.mark.clause("SMART 2.2", "10")
def test_no_secret_is_shipped() -> None:
    for path in CONFIG.rglob("*"):
        assert path.is_dir() or path.suffix in {".toml", ".json", ".py", ".conf"}, Path(path).name
