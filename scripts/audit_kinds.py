"""Writes docs/audit.md: the kinds of rows in the audit trail, from their declaration in smartapp/audit/kinds.py.

`python scripts/audit_kinds.py` writes it; with `--check` it only tells, by its exit status, whether it is up to date.
"""

import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from smartapp.audit import kinds  # noqa: E402 -- scripts run from anywhere
from smartapp.audit.kinds import GROUPS, Kind  # noqa: E402 -- as above

DOCUMENT: Final = ROOT / "docs" / "audit.md"
_LOUD: Final = {"info": "", "high": "high", "both": "info or high"}


def document() -> str:
    """The whole text of docs/audit.md."""
    lines = [
        "# What the audit trail holds\n",
        "Made by `python scripts/audit_kinds.py`; a test fails when it is stale.\n",
    ]
    lines += (kinds.__doc__ or "").strip().split("\n\n", 1)[1:]
    for heading, group in GROUPS.items():
        lines += [f"\n## {heading}\n", "| kind | severity | counted | what it tells |", "| --- | --- | --- | --- |"]
        lines += map(_row, group)
    return "\n".join(lines) + "\n"


def _row(kind: Kind) -> str:
    return f"| `{kind.name}` | {_LOUD[kind.loud]} | {'yes' if kind.noted else ''} | {kind.what} |"


def main(arguments: list[str]) -> int:
    """0 when the document is as it should be, afterwards or already."""
    if "--check" in arguments:
        return int(not DOCUMENT.exists() or DOCUMENT.read_text() != document())
    DOCUMENT.write_text(document())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
