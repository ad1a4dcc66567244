"""dciodvfy (dicom3tools), which says what is wrong with a DICOM object."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.parts import require


@pytest.fixture(scope="session")
def judge() -> Path:
    """The program."""
    program = Path(sys.executable).with_name("dciodvfy")
    return require("dciodvfy (dicom3tools)", program if program.exists() else None)


def verdict(judge: Path, file: bytes, folder: Path) -> list[str]:
    """Its errors and warnings about a file, which is written into `folder`."""
    path = folder / "judged.dcm"
    path.write_bytes(file)
    told = subprocess.run([judge, path], capture_output=True, text=True, check=False)
    lines = (told.stdout + told.stderr).splitlines()
    return [line.strip() for line in lines if line.startswith(("Error", "Warning"))]
