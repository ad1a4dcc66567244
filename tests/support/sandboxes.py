"""The product, an EHR and a PACS, started as a person would start them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Sandbox = dict[str, Any]


@contextmanager
def running(*arguments: str, **environment: str) -> Iterator[Sandbox]:
    """A sandbox of its own until the block ends; its one line of JSON."""
    command = [sys.executable, "-m", "smartapp.cli", "sandbox", "--json", *arguments]
    process, line = _started(command, environment)
    if not line:  # its ports were free when it looked, and another sandbox was quicker
        _end(process)
        process, line = _started(command, environment)
    try:
        assert line, f"the sandbox ended with {process.wait(30)} before it was ready"
        yield json.loads(line)
    finally:
        _end(process)


def _started(command: list[str], environment: dict[str, str]) -> tuple[subprocess.Popen[str], str]:
    """The process, and its line; none of it where it ended."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})
    assert process.stdout is not None
    return process, process.stdout.readline()


def _end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    if process.stdout is not None:
        process.stdout.close()
