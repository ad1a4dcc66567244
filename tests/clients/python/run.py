"""Starts a program with somebody else's client in it, and plays the person's part when it asks."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.parts import require

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-clients/bin/python"


def run(program: str, given: dict[str, Any], person: Callable[[str], str] | None = None) -> dict[str, Any]:
    """What `tests.clients.python.<program>` found; `person` turns the address it opens into the one it comes back to.

    An AssertionError with the program's own complaint when it ends otherwise.
    """
    require("clients of others (make clients)", PYTHON.exists())
    environment = {"PATH": os.environ["PATH"], "NO_PROXY": "*", "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        [PYTHON, "-m", f"tests.clients.python.{program}"],
        cwd=ROOT, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            return _talk(process, given, person)
        finally:
            process.kill()


def _talk(process: subprocess.Popen[str], given: dict[str, Any], person: Callable[[str], str] | None) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    answer = json.dumps(given)
    while True:
        process.stdin.write(f"{answer}\n")
        process.stdin.flush()
        line = process.stdout.readline()
        assert line, f"the client failed:\n{process.stderr.read()[-4000:]}"
        said = json.loads(line)
        if "found" in said:
            found: dict[str, Any] = said["found"]
            return found
        assert person is not None
        answer = person(said["open"])
        assert "\n" not in answer
