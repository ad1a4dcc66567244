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
            lines += [f"{key} = {json.dumps(item, ensure_ascii=False)}" for key, item in table.items()]
    return "\n".join(lines) + "\n"
