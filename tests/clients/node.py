"""Programs of Node's that use somebody's client: told what they need, they ask for a browser, and say what they saw."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SECONDS = 60
Browser = Callable[[str], str]
"""Where a browser that is sent to an address ends up: the address at the app."""


@dataclass(frozen=True)
class Node:
    """`program` is Node, `folder` holds the scripts with the clients beside them."""

    program: str
    folder: Path

    def run(self, script: str, told: dict[str, Any], browser: Browser | None = None) -> dict[str, Any]:
        """What `script` says at its end. It gets `told` as a line of JSON; each line `{"visit": address}` of its own is
        answered with `{"at": where the browser ended up}`, and `{"done": …}` is the result.
        """
        errors = self.folder / f"{script}.errors"
        with (
            errors.open("w") as stderr,
            subprocess.Popen(
                [self.program, f"{script}.mjs"],
                cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True,
            ) as process,
        ):  # fmt: skip
            try:
                said = _converse(process, told, browser)
            finally:
                process.kill()
        assert said is not None, errors.read_text()[-3000:]
        return said


def _converse(process: subprocess.Popen[str], told: dict[str, Any], browser: Browser | None) -> dict[str, Any] | None:
    assert process.stdin is not None
    assert process.stdout is not None
    _say(process, told)
    for line in process.stdout:
        said: dict[str, Any] = json.loads(line)
        if "done" in said:
            process.wait(_SECONDS)
            result: dict[str, Any] = said["done"]
            return result
        assert browser is not None
        _say(process, {"at": browser(said["visit"])})
    return None


def _say(process: subprocess.Popen[str], message: dict[str, Any]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()
