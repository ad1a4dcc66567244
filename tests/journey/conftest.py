"""The product, the EHR and a PACS, started as a person would start them, and a browser."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

Sandbox = dict[str, Any]


@contextmanager
def running(*arguments: str, **environment: str) -> Iterator[Sandbox]:
    """A sandbox of its own until the block ends; its one line of JSON."""
    command = [sys.executable, "-m", "smartapp.cli", "sandbox", "--json", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"the sandbox ended with {process.wait(30)} before it was ready"
        yield json.loads(line)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(params=[1440, 320], ids=["desktop", "phone"])
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    wide = request.param
    context = chromium.new_context(viewport={"width": wide, "height": 900 if wide > 500 else 640}, has_touch=wide < 500)
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    """Where the README's pictures go, when they are asked for."""
    folder = os.environ.get("SMARTAPP_PICTURES")
    return Path(folder) if folder else None
