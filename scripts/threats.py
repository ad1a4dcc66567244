"""Writes docs/threats.md: which attack or fault is tried by which test, read from the tests' `threat` marks.

`python scripts/threats.py` writes it; with `--check` it only tells, by its exit status, whether it is up to date.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
DOCUMENT: Final = ROOT / "docs" / "threats.md"
ROWS: Final = ROOT / "docs" / "threats.tsv"
_HEADINGS: Final = {
    "S": "We as SMART client of the EHR",
    "A": "Access and the DICOMweb gateway",
    "D": "DICOM and other untrusted content",
    "W": "The portal",
    "T": "The audit trail",
    "C": "Cryptography at rest",
    "F": "Faults",
    "P": "Properties",
    "O": "Tokens we hand out",
}
_INTRODUCTION: Final = """# Attacks and faults, and the tests that try them

Made by `python scripts/threats.py` from the `threat` marks of the tests; a test fails when it is out of date.
A test is named by its file and function; those in `tests/threats` try the whole application, composed or running.
"""
_NOT_YET: Final = """## Not yet

These need something that the product does not have, or not in this form. Each gets its test with it.

| row | what would be tried | why not |
| --- | --- | --- |
"""


def marked() -> dict[str, list[str]]:
    """The tests of each row: `room/file::function`, in order."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        module = ast.parse(path.read_text())
        name = path.relative_to(ROOT / "tests").as_posix()
        whole = _rows_in(node for node in module.body if isinstance(node, ast.Assign))
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for row in sorted({*whole, *_rows_in(node.decorator_list)}):
                    found[row].append(f"{name}::{node.name}")
    return found


def _rows_in(nodes: Iterator[ast.AST] | list[ast.expr]) -> Iterator[str]:
    """What `pytest.mark.threat(…)` says below these nodes."""
    for top in nodes:
        for node in ast.walk(top):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "threat":
                yield from map(ast.literal_eval, node.args)


def described() -> dict[str, tuple[str, str]]:
    """What docs/threats.tsv says of each row: what is tried, and why there is no test while there is none."""
    found = {}
    for line in ROWS.read_text().splitlines():
        row, what, *why_not = line.split("\t")
        found[row] = (what, "".join(why_not))
    return found


def document() -> str:
    """The whole text of docs/threats.md. KeyError for a mark whose row docs/threats.tsv does not describe."""
    rows, tests = described(), marked()
    if unknown := sorted(set(tests) - set(rows)):
        raise KeyError(f"docs/threats.tsv has no row {', '.join(unknown)}")
    lines = [_INTRODUCTION]
    for letter, heading in _HEADINGS.items():
        lines += [f"## {heading}\n", "| row | what is tried | tests |", "| --- | --- | --- |"]
        found = sorted((row for row in tests if row.startswith(letter)), key=_order)
        lines += [f"| {row} | {rows[row][0]} | {_cell(tests[row])} |" for row in found]
        lines.append("")
    lines.append(_NOT_YET.rstrip())
    lines += [f"| {row} | {what} | {why} |" for row, (what, why) in rows.items() if row not in tests]
    return "\n".join(lines) + "\n"


def gaps() -> list[str]:
    """The rows that no test tries, and that give no reason for it."""
    tests = marked()
    return [row for row, (_, why) in described().items() if row not in tests and not why]


def _order(row: str) -> int:
    return int(re.sub(r"\D", "", row))


def _cell(tests: list[str]) -> str:
    return "<br>".join(f"`{test}`" for test in tests)


def main() -> int:
    """Writes or checks the document; 1 when it was out of date under `--check`."""
    text = document()
    if "--check" in sys.argv[1:]:
        return int(not DOCUMENT.exists() or DOCUMENT.read_text() != text)
    DOCUMENT.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
