"""One command, one table, as text and as JSON (`bench/results/`)."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.measure import Row
from bench.memory import growth
from bench.oauth import rows as oauth
from bench.rows import rows
from bench.site import site

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    machine = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("flask", "gunicorn", "pydicom", "cryptography")},
    }
    print(json.dumps(machine))
    print(f"{'ours | Orthanc direct: minimum, median, maximum':<51} {'':<60} ratio")
    measured = [_told(row) for row in oauth.rows()]
    with site() as running:
        measured += [_told(row) for row in rows(running)]
        memory = {str(parallel): growth(running, parallel) for parallel in (1, 4)}
        print(f"a worker's growth while whole studies stream: {memory} MiB")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "latest.json").write_text(json.dumps({"machine": machine, "rows": measured, "memory": memory}, indent=1))


def _told(row: Row) -> dict[str, Any]:
    print(row.line(), flush=True)
    return {**dataclasses.asdict(row), "ratio": row.ratio}


if __name__ == "__main__":
    main()
