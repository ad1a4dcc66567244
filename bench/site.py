"""The sandbox with Orthanc, a patient's token for the heavy study, and the two ways to ask for the same thing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.support.visitor import Visitor, open_my_imaging

PIECE = 256 * 1024
DICOM = 'multipart/related; type="application/dicom"; transfer-syntax=*'


@dataclass
class Site:
    """`visitor` stands signed in; `study_page` is the heavy study's page, `study` its UID."""

    sandbox: dict[str, Any]
    data: Path
    visitor: Visitor
    list_page: str
    study_page: str
    study: str
    series: list[str]

    def headers(self, accept: str) -> dict[str, str]:
        """Ours: a fresh viewer token, as the viewer gets it."""
        page = self.visitor.http.get(self.study_page).text
        found = re.search(r'csrf_token" value="([^"]+)"', page)
        assert found
        answer = self.visitor.http.post(f"{self.study_page}/viewer-token", headers={"X-CSRF-Token": found[1]})
        return {"Authorization": f"Bearer {answer.json()['token']}", "Accept": accept}

    @property
    def ours(self) -> str:
        return f"{self.sandbox['app']['dicomweb']}/studies/{self.study}"

    @property
    def theirs(self) -> str:
        return f"{self.sandbox['pacs']['dicomweb']}/studies/{self.study}"

    @property
    def pacs_auth(self) -> tuple[str, str]:
        return "smartapp", (self.data / "app" / "pacs-password").read_text().strip()

    def forget(self) -> None:
        """Empties our cache, so that the next time is a first time."""
        for path in (self.data / "app").rglob("*"):
            if path.is_file() and "cache" in path.parts[-3:-1] + path.parts[-2:-1]:
                path.unlink()

    def workers(self) -> list[psutil.Process]:
        return [p for p in psutil.process_iter() if _is_worker(p, str(self.data))]


def _is_worker(process: psutil.Process, data: str) -> bool:
    try:
        line = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return "serve" in line and data in line and "leash" not in line


@contextmanager
def site() -> Iterator[Site]:
    """Starts everything and signs the sample patient in."""
    with tempfile.TemporaryDirectory(prefix="smartapp-bench-") as folder:
        command = [sys.executable, "-m", "smartapp.cli", "sandbox", "--json", "--pacs", "orthanc", "--data", folder]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            yield _signed_in(json.loads(process.stdout.readline()), Path(folder))
        finally:
            process.terminate()
            process.wait(30)
            if process.stdout is not None:
                process.stdout.close()


def _signed_in(sandbox: dict[str, Any], data: Path) -> Site:
    visitor = open_my_imaging(sandbox)
    found = re.search(r'studies/([0-9.]+)"[^>]*>CT scan: chest', visitor.page.text)
    assert found
    page = f"{visitor.page.url}studies/{found[1]}"
    series = re.findall(r'data-series-link="([0-9.]+)"', visitor.http.get(page).text)
    return Site(sandbox, data, visitor, visitor.page.url, page, found[1], series)
