"""Writes TOML: tables, arrays of tables, and the values that JSON shares with it."""

import json
from collections.abc import Mapping
from typing import Any


def write_toml(document: Mapping[str, Any]) -> str:
    """`document` as TOML; lists of tables become [[tables]]."""
    lines: list[str] = []
    for name, value in document.items():
        for table in value if isinstance(value, list) else [value]:
            lines.append(f"[[{name}]]" if isinstance(value, list) else f"[{name}]")
            lines += [f"{key} = {_value(item)}" for key, item in table.items()]
    return "\n".join(lines) + "\n"


def _value(item: Any) -> str:
    """Tables inside tables stand in one line."""
    if isinstance(item, Mapping):
        return "{" + ", ".join(f"{key} = {_value(each)}" for key, each in item.items()) + "}"
    if isinstance(item, list | tuple):
        return "[" + ", ".join(map(_value, item)) + "]"
    return json.dumps(item, ensure_ascii=False)
