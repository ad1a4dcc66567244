"""The drawn files, kept between starts: `<cache>/<digest>/<hospital>/<study uid>/<series uid>/<sop uid>.dcm`.

Drawing takes seconds and 330 MB; the digest of all that decides on the bytes is the folder's name, so a changed
generator draws anew and never mixes with the old.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from smartapp.sandbox import world as world_module
from smartapp.sandbox.scans.dataset import Writer
from smartapp.sandbox.scans.pictures import pictures
from smartapp.sandbox.world import World

_HALF_MADE = "making-"
_WORLD = Path(world_module.__file__).resolve().parent
_HERE = Path(__file__).parent
_LIBRARIES = ("numpy", "pydicom", "pillow", "pyjpegls", "pylibjpeg-openjpeg", "pylibjpeg-rle")


def default_cache(data: Path) -> Path:
    """`var/sandbox-scans` of the checkout when it can be written, else a folder inside `data`."""
    checkout = _WORLD.parents[2]
    if (checkout / "pyproject.toml").is_file() and os.access(checkout, os.W_OK):
        return checkout / "var" / "sandbox-scans"
    return data / "scans"


def digest() -> str:
    """What the bytes depend on: the sources of the generator and of the world, and the versions of its libraries."""
    state = hashlib.sha256(" ".join(version(name) for name in _LIBRARIES).encode())
    for source in [*sorted(_WORLD.glob("*.py")), *sorted(_HERE.glob("*.py")), *sorted(_HERE.glob("streams/*.bin"))]:
        state.update(source.name.encode() + b"\0" + source.read_bytes())
    return state.hexdigest()[:20]


def scans(world: World, cache: Path) -> Path:
    """The folder with every hospital's files, drawn first if need be.

    Safe with several processes at once: one draws under a lock, into a folder that gets its name only when it is
    complete; the others wait and find it. Raises OSError when the disk does not take the files.
    """
    cache.mkdir(parents=True, exist_ok=True)
    done = cache / digest()
    if done.is_dir():
        return done
    with _locked(cache / "lock"):
        if not done.is_dir():
            try:
                making = Path(tempfile.mkdtemp(prefix=_HALF_MADE, dir=cache))
                draw(world, making)
                making.chmod(0o755)
                making.rename(done)
            finally:
                _clear_half_made(cache)
    return done


def draw(world: World, folder: Path) -> None:
    """Draws every study of the world into `<folder>/<hospital>/<study uid>/`."""
    for hospital in world.hospitals:
        for person in hospital.people:
            for study in person.studies:
                writer = Writer(hospital, person, study)
                for picture in pictures(study):
                    writer.write(picture, folder / hospital.id / study.uid)


def _clear_half_made(cache: Path) -> None:
    """What a failed or killed drawing left, ours or another's: nobody else draws while we hold the lock."""
    for left in cache.glob(f"{_HALF_MADE}*"):
        shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
