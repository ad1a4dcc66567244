"""Somebody else's programs, which say whether a copy is what it claims to be."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydicom.fileset import FileSet

from tests.support.parts import require


def unzip(archive: Path) -> subprocess.CompletedProcess[str]:
    """Info-ZIP's own test of an archive."""
    return _run("unzip", "-tq", str(archive))


def seven_zip(archive: Path, passphrase: str, *command: str) -> subprocess.CompletedProcess[str]:
    """7-Zip, as a person with the passphrase uses it: tests the archive, if no other command is given."""
    return _run("7z", *(command or ("t",)), f"-p{passphrase}", str(archive))


def dcmdump(file: Path) -> subprocess.CompletedProcess[str]:
    """DCMTK reads the whole file."""
    return _run("dcmdump", "-q", str(file))


@contextmanager
def file_set(folder: Path) -> Iterator[FileSet]:
    """What pydicom finds by the folder's DICOMDIR. It makes a folder of its own, to be removed."""
    files = FileSet(folder / "DICOMDIR")
    try:
        yield files
    finally:
        files._stage["t"].cleanup()


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = require(program, shutil.which(program))
    return subprocess.run([path, *arguments], capture_output=True, text=True, check=False, timeout=60)
