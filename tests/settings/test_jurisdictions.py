"""Release rules as they are read, and what is refused with a sentence that names it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # ships no types

from smartapp.errors import ConfigurationError
from smartapp.settings.jurisdictions import check_jurisdictions, read_jurisdictions
from smartapp.settings.model import Delay, Jurisdiction
from tests.launch.house import provider

FILE = Path("jurisdictions.toml")
SCHEMA = json.loads((Path(__file__).parents[2] / "config/schema/jurisdictions.schema.json").read_text())


def read(*tables: Any) -> tuple[Jurisdiction, ...]:
    return read_jurisdictions({"jurisdiction": list(tables)}, FILE)


def test_rules_are_read() -> None:
    table = {
        "id": "tx", "preliminary": "held", "blocks": ["urn:s|NOPAT"],
        "delay": [{"hours": 72, "modalities": ["PT"]}, {"hours": 24, "categories": ["LP29684-5"]}],
    }  # fmt: skip
    delays = (Delay(72, modalities=("PT",)), Delay(24, categories=("LP29684-5",)))
    assert read(table, {"id": "us"}) == (Jurisdiction("tx", "held", ("urn:s|NOPAT",), delays), Jurisdiction("us"))
    assert "delay" in table


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({}, "id"), ([], "table"), ({"id": "x", "colour": "red"}, "colour"),
        ({"id": "x", "preliminary": "no"}, "preliminary"),
        ({"id": "x", "blocks": ["NOPAT"]}, "blocks"), ({"id": "x", "blocks": ["a|b|c"]}, "blocks"),
        ({"id": "x", "delay": {"hours": 1}}, "delay"), ({"id": "x", "delay": [{}]}, "hours"),
        ({"id": "x", "delay": [{"hours": 0}]}, "hours"), ({"id": "x", "delay": [{"hours": 721}]}, "hours"),
        ({"id": "x", "delay": [{"hours": 1, "days": 2}]}, "days"),
    ],
)  # fmt: skip
def test_the_loader_and_the_schema_refuse_the_same(table: Any, named: str) -> None:
    assert not Draft202012Validator(SCHEMA).is_valid({"jurisdiction": [table]})
    with pytest.raises(ConfigurationError, match=named):
        read(table)


def test_each_id_is_there_once_and_nothing_else_is_in_the_file() -> None:
    with pytest.raises(ConfigurationError, match="twice"):
        read({"id": "x"}, {"id": "x"})
    documents: tuple[dict[str, Any], ...] = ({"delay": []}, {"jurisdiction": {}})
    for document in documents:
        with pytest.raises(ConfigurationError, match=r"\[\[jurisdiction\]\]"):
            read_jurisdictions(document, FILE)


def test_a_provider_under_unknown_rules_stops_the_start() -> None:
    hospital = provider("http://ehr.example/fhir", ("http://ehr.example",), jurisdiction="tx")
    check_jurisdictions([hospital], [Jurisdiction("tx")])
    with pytest.raises(ConfigurationError, match="jurisdiction tx"):
        check_jurisdictions([hospital], [Jurisdiction("us")])
